/** What is stored about photos; the last few stay at hand, so that walking on finds its neighbours there. */

import { api } from './client.ts'
import type { ImageDetail } from './types.ts'

const KEPT = 24

const kept = new Map<string, ImageDetail>()

/** What is at hand of a photo; it may be a little old. */
export function glimpse(id: string): ImageDetail | null {
  return kept.get(id) ?? null
}

/** Keep what is known now. */
export function keep(detail: ImageDetail): void {
  kept.delete(detail.id)
  kept.set(detail.id, detail)
  for (const id of kept.keys()) if (kept.size > KEPT) kept.delete(id)
}

/** All that is stored about a photo, as it is now. Rejects with a Problem, or when called off. */
export async function look(id: string, signal: AbortSignal): Promise<ImageDetail> {
  const detail = await api.image(id, signal)
  signal.throwIfAborted()
  keep(detail)
  return detail
}

/** What is at hand, else what the daemon answers. */
export async function atHand(id: string, signal: AbortSignal): Promise<ImageDetail> {
  return kept.get(id) ?? (await look(id, signal))
}
