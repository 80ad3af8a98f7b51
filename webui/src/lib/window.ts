/** Which part of a long list has to be in the document. Pure. */

export interface Block {
  readonly top: number
  readonly height: number
}

/**
 * Half-open range [start, end) of the blocks that touch the view, widened by `margin` pixels on both sides.
 *
 * Blocks are sorted by `top` and do not overlap.
 */
export function visible(blocks: readonly Block[], scroll: number, view: number, margin: number): { start: number; end: number } {
  const from = scroll - margin
  const to = scroll + view + margin
  const start = first(blocks, (block) => block.top + block.height > from)
  const end = first(blocks, (block) => block.top >= to)
  return { start, end: Math.max(start, end) }
}

/** Index of the first block for which `test` holds; `test` is false and then true along the list. */
function first(blocks: readonly Block[], test: (block: Block) => boolean): number {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (test(blocks[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
