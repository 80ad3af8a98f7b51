/** The sorting rules as they are stored and as they are edited; what is edited stays while the page is open. */

import { api } from './client.ts'
import { asProblem, type Problem } from './problem.ts'
import { draftOf, fresh, moved, ruleOf, same, type Draft } from './rules.ts'
import { complain, say } from './toasts.svelte.ts'
import type { RuleValues, SortRules } from './types.ts'

let book = $state.raw<SortRules | null>(null)
let drafts = $state.raw<readonly Draft[]>([])
let problem = $state.raw<Problem | null>(null)
/** Why the rules could not be stored; where the file cannot be written, with what belongs into it. */
let refused = $state.raw<Problem | null>(null)
let saving = $state(false)

const values = $derived(drafts.map((draft) => ruleOf(draft, book?.fields ?? [])))
const dirty = $derived(book !== null && !same(values, book.items))

function take(next: SortRules): void {
  book = next
  drafts = next.items.map(draftOf)
  refused = null
}

export const rulebook = {
  /** As stored; null until it was fetched. */
  get book(): SortRules | null {
    return book
  },
  /** Why it could not be fetched, until it can. */
  get problem(): Problem | null {
    return problem
  },
  get refused(): Problem | null {
    return refused
  },
  get drafts(): readonly Draft[] {
    return drafts
  },
  /** What is edited, as the daemon takes it. */
  get values(): readonly RuleValues[] {
    return values
  },
  /** Something was edited and is not stored. */
  get dirty(): boolean {
    return dirty
  },
  get saving(): boolean {
    return saving
  },
  /** Fetch the rules; what is being edited stays. */
  async renew(): Promise<void> {
    try {
      const next = await api.rules()
      if (dirty) book = next
      else take(next)
      problem = null
    } catch (error) {
      problem = asProblem(error)
    }
  },
  change(id: number, part: Partial<Draft>): void {
    drafts = drafts.map((draft) => (draft.id === id ? { ...draft, ...part } : draft))
  },
  /** Add a rule at the end. Answers its id. */
  add(): number {
    const draft = fresh(drafts.map(({ name }) => name))
    drafts = [...drafts, draft]
    return draft.id
  },
  remove(id: number): void {
    const before = drafts
    const gone = drafts.find((draft) => draft.id === id)
    drafts = drafts.filter((draft) => draft.id !== id)
    say(`${gone?.name ?? 'The rule'} removed`, { detail: 'Not yet stored.', action: { label: 'Undo', run: () => (drafts = before) } })
  },
  /** Put a rule so many places further down (or up). */
  move(id: number, places: number): void {
    const from = drafts.findIndex((draft) => draft.id === id)
    const to = from + places
    if (from >= 0 && to >= 0 && to < drafts.length) drafts = moved(drafts, from, to)
  },
  discard(): void {
    if (book) take(book)
  },
  /** Store what was edited. Answers whether it could be. */
  async save(): Promise<boolean> {
    saving = true
    try {
      take(await api.saveRules(values))
      return true
    } catch (error) {
      refused = asProblem(error)
      return false
    } finally {
      saving = false
    }
  },
  /** Let a rule act by itself, or no longer: stored at once, without what else was edited. */
  async automate(name: string, auto: boolean): Promise<void> {
    const before = drafts
    const clean = !dirty
    drafts = drafts.map((draft) => (draft.name === name ? { ...draft, auto } : draft))
    if (!book?.items.some((rule) => rule.name === name)) return
    try {
      const next = await api.saveRules(book.items.map((rule) => ruleOf(draftOf(rule.name === name ? { ...rule, auto } : rule), book!.fields)))
      if (clean) take(next)
      else book = next
    } catch (error) {
      drafts = before
      complain('The rules could not be stored', error)
    }
  },
}
