/** Keys pressed one after the other. */

/** Answers a listener for single keys; two within a second call `act` with both. */
export function chord(act: (first: string, second: string) => void, now: () => number = () => performance.now()): (key: string) => void {
  let first = ''
  let at = -Infinity
  return (key) => {
    const due = now()
    if (first && due - at < 1000) {
      act(first, key)
      first = ''
    } else {
      first = key
      at = due
    }
  }
}
