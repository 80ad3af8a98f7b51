/** Which originals a browser shows, and fetching them ahead. */

import { abandon } from './abandon.ts'
import { at } from './base.ts'
import type { ImageDetail } from './types.ts'

/** Containers that every browser shows. */
const EVERYWHERE = new Set(['JPEG', 'MPO', 'PNG', 'WEBP', 'GIF', 'AVIF', 'BMP'])
/** Containers that this browser was tried with and could not show. */
const refused = new Set<string>()
/** Originals fetched ahead are held on to up to this many, so that the browser keeps them decoded. */
const HELD = 3

const held = new Map<string, HTMLImageElement>()

export function thumbnail(id: string): string {
  return at(`/api/images/thumbnail/${id}`)
}

export function original(id: string): string {
  return at(`/api/images/${id}`)
}

/** Whether it makes sense to fetch the original to look at it; a container not known here is tried once. */
export function isShown(photo: Pick<ImageDetail, 'status' | 'format'>): boolean {
  return photo.status === 'indexed' && !refused.has(photo.format ?? '')
}

/** Why only the preview is to be seen; empty when the original can be shown. */
export function onlyPreview(photo: Pick<ImageDetail, 'status' | 'format'>): string {
  if (photo.status === 'away') return 'The original is away; this is its preview.'
  if (photo.status !== 'indexed') return 'Only the preview is there so far.'
  return refused.has(photo.format ?? '') ? `This browser does not show ${photo.format}; this is its preview.` : ''
}

/** Fetch and decode the original. Rejects when it cannot be had or shown, or the fetch is called off. */
export async function fetchOriginal(photo: Pick<ImageDetail, 'id' | 'format'>, signal: AbortSignal, ahead = false): Promise<void> {
  const image = held.get(photo.id) ?? new Image()
  const stop = (): void => abandon(image)
  signal.addEventListener('abort', stop)
  try {
    if (!image.src) {
      if (ahead) image.fetchPriority = 'low'
      image.src = original(photo.id)
    }
    await image.decode()
    signal.throwIfAborted()
    held.delete(photo.id)
    held.set(photo.id, image)
    for (const old of held.keys()) if (held.size > HELD) held.delete(old)
  } catch (error) {
    held.delete(photo.id)
    // Others may just be away or cut off; they are tried again the next time.
    if (!signal.aborted && photo.format && !EVERYWHERE.has(photo.format)) refused.add(photo.format)
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Fetch a thumbnail so that it is there when it is wanted. */
export function fetchThumbnail(id: string): void {
  new Image().src = thumbnail(id)
}
