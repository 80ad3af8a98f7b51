/** What is sent, how much at once, and how far it is. Pure. */

import * as format from './format.ts'
import type { Reason, UploadLimits } from './types.ts'

/** Photos and bytes in one request: small, so that little is sent again after a pause or a broken line. */
export const PARCEL = { files: 24, bytes: 32e6 } as const

/** How many of the first files go together: as many as the bounds take, and at least one. */
export function parcel(sizes: readonly number[], most: { readonly files: number; readonly bytes: number }): number {
  let bytes = 0
  for (let count = 0; count < sizes.length; count++) {
    bytes += sizes[count]!
    if (count && (count >= most.files || bytes > most.bytes)) return count
  }
  return sizes.length
}

/**
 * Bytes of each file that have gone, of `loaded` of a request's `total`.
 *
 * What surrounds the files in the request is taken as shared among them by their number.
 */
export function spread(sizes: readonly number[], loaded: number, total: number): number[] {
  const around = Math.max(0, total - sizes.reduce((sum, size) => sum + size, 0)) / Math.max(1, sizes.length)
  let left = loaded
  return sizes.map((size) => {
    const here = Math.min(size, Math.max(0, left - around))
    left -= size + around
    return here
  })
}

/** The extension with its dot, in lower case; empty without one. */
function extension(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(dot).toLowerCase() : ''
}

/** Why a file need not be sent, as it would be refused; null when it can go. */
export function refusal(path: string, size: number, limits: UploadLimits): Pick<Reason, 'message' | 'next_step'> | null {
  const type = extension(path)
  if (!limits.extensions.includes(type)) {
    return { message: type ? `${type} files are not photos that pixsortd reads` : 'it has no extension that tells its type', next_step: `Taken are ${limits.extensions.join(' ')}.` }
  }
  if (size === 0) return { message: 'the file is empty', next_step: 'Look at the original, and send it again.' }
  if (size > limits.max_bytes) {
    return {
      message: `the file has ${format.bytes(size)}, more than the ${format.bytes(limits.max_bytes)} that one may have`,
      next_step: 'Copy it into the inbox by hand, or raise `upload.max_bytes`.',
    }
  }
  return null
}

/** Seconds until the rest has gone at a pace in bytes a second; null while nothing can be said. */
export function remaining(bytes: number, pace: number): number | null {
  return pace > 0 ? bytes / pace : null
}
