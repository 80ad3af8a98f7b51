/** Rating a photo: shown at once, taken back when the daemon refuses. */

import { api } from './client.ts'
import { timelines } from './timeline.svelte.ts'
import { complain, say } from './toasts.svelte.ts'

/** Rate with 0 to 5 stars; null takes the rating back. Answers what holds afterwards. */
export async function rate(photo: { id: string; name: string; rating: number | null }, stars: number | null): Promise<number | null> {
  const show = (rating: number | null): void => timelines().forEach((list) => list.patch(photo.id, { rating }))
  const old = photo.rating
  show(stars)
  try {
    await api.rate(photo.id, stars)
    say(stars === null ? `Rating of ${photo.name} taken back` : `${photo.name}: ${'★'.repeat(stars)}${'☆'.repeat(5 - stars)}`, { seconds: 2 })
    return stars
  } catch (error) {
    show(old)
    complain(`${photo.name} could not be rated`, error)
    return old
  }
}
