/** Which size of a thumbnail to ask for. Pure. */

/**
 * Few sizes, so that the same picture is found in the cache again after the window changed a little, and none near
 * the stored one: making a smaller one costs the daemon several times what decoding the stored one costs the browser.
 */
const STEPS = [128, 192]

/** Long side in device pixels to ask for to fill `side` CSS pixels; null for the thumbnail as it is stored. */
export function sizeFor(side: number, ratio: number): number | null {
  // A tenth too small is not seen, and saves the next step.
  return STEPS.find((step) => step * 1.1 >= side * ratio) ?? null
}
