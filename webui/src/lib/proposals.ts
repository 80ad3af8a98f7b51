/** Lines of a proposal in words. Pure. */

import type { IconName } from '../parts/Icon.svelte'
import * as format from './format.ts'
import type { ChangeKind, ProposedChange } from './types.ts'

/** A piece of a sentence: words, or a group that is called so. */
export type Piece = string | { readonly group: string; readonly name: string }

interface Words {
  readonly icon: IconName
  readonly title: string
  /** Between `%n` (the photos), `%g` (where they are) and `%t` (where they would be). */
  readonly would: string
  readonly did: string
}

const WORDS: Readonly<Record<ChangeKind, Words>> = {
  join: { icon: 'plus', title: 'Join', would: '%n of no group would join %t', did: '%n of no group joined %t' },
  leave: { icon: 'minus', title: 'Leave', would: '%n would leave %g for no group', did: '%n left %g for no group' },
  move: { icon: 'move', title: 'Move', would: '%n would move from %g to %t', did: '%n moved from %g to %t' },
  split: { icon: 'split', title: 'Split', would: '%n of %g would form a group of their own', did: '%n of %g formed a group of their own, %t' },
  merge: { icon: 'merge', title: 'Merge', would: '%g would become part of %t, with %n', did: '%g became part of %t, with %n' },
  birth: { icon: 'groups', title: 'New group', would: '%n of no group would form a new group', did: '%n of no group formed %t' },
  end: { icon: 'close', title: 'End', would: '%g would end: its last %n would be in no group', did: '%g ended: its last %n are in no group' },
}

export function icon(kind: ChangeKind): IconName {
  return WORDS[kind].icon
}

export function title(kind: ChangeKind): string {
  return WORDS[kind].title
}

function named(group: string | null, name: string | null): Piece {
  return group === null ? 'no group' : { group, name: name ?? 'an unnamed group' }
}

/** What a line would do, or (when it applied itself) did. */
export function told(line: ProposedChange): Piece[] {
  const parts: Readonly<Record<string, Piece>> = {
    '%n': format.plural(line.photos, 'photo'),
    '%g': named(line.group, line.group_name),
    '%t': named(line.to, line.to_name),
  }
  const words = WORDS[line.kind][line.waits ? 'would' : 'did']
  return words.split(/(%[ngt])/).filter(Boolean).map((piece) => parts[piece] ?? piece)
}

/** The same as plain text. */
export function sentence(line: ProposedChange): string {
  return told(line).map((piece) => (typeof piece === 'string' ? piece : piece.name)).join('')
}

/** The groups of a line that are there already, so that one can look at what they are like. */
export function known(line: ProposedChange): string[] {
  const fresh = line.waits && (line.kind === 'split' || line.kind === 'birth')
  return [line.group, fresh ? null : line.to].filter((id) => id !== null)
}
