/** A place in a list as the address holds it: "2024-05" or, down to the photo, "2024-05~3f9a0c21bb7d". Pure. */

/** Digits of a photo's id that tell it from the others of its bucket. */
const DIGITS = 12

export interface Spot {
  readonly key: string
  /** The start of a photo's id, or null for the begin of the bucket. */
  readonly id: string | null
}

export function write(key: string, id: string | null): string {
  return id === null ? key : `${key}~${id.slice(0, DIGITS)}`
}

export function read(text: string | null): Spot | null {
  const [key, id] = (text ?? '').split('~')
  return key ? { key, id: id || null } : null
}
