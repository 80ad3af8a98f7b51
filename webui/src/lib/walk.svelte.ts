/** The list that is on screen, so that a photo's detail can walk on to its neighbours. */

export interface Walker {
  /** Id of the photo `step` places further in the list, or null at its ends. */
  beside(id: string, step: -1 | 1): string | null
}

let walker = $state.raw<Walker | null>(null)

export const walk = {
  beside(id: string, step: -1 | 1): string | null {
    return walker?.beside(id, step) ?? null
  },
  /** Lend the list on screen; returns the undoing. */
  lend(list: Walker): () => void {
    walker = list
    return () => {
      if (walker === list) walker = null
    }
  },
}
