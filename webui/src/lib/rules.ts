/** Sorting rules as they are edited: values as text, choices in words. Pure. */

import type { IconName } from '../parts/Icon.svelte'
import type { RuleField, RuleValues, SortRule } from './types.ts'

type Value = RuleValues['when'][string]

/** A condition as it is typed; every line of the text is another value, of which any may hold. */
export interface Condition {
  readonly id: number
  readonly field: string
  readonly text: string
}

/** A rule as it is edited. */
export interface Draft extends Omit<RuleValues, 'when'> {
  /** Stays the same while the rule is renamed and moved. */
  readonly id: number
  readonly when: readonly Condition[]
}

interface Choice<T extends string> {
  readonly value: T
  readonly name: string
  readonly about: string
}

export const ACTIONS: readonly (Choice<RuleValues['action']> & { readonly icon: IconName })[] = [
  { value: 'move', name: 'Move', icon: 'move', about: 'The file goes there.' },
  { value: 'copy', name: 'Copy', icon: 'copy', about: 'A second file is made there; the first stays.' },
  { value: 'hardlink', name: 'Hard link', icon: 'link', about: 'The same file under a second name; only on one disk.' },
  { value: 'reflink', name: 'Reflink', icon: 'copy', about: 'A copy that takes no space until one of the two is changed; only where the file system can.' },
  { value: 'symlink', name: 'Symbolic link', icon: 'link', about: 'A link there points to the file here.' },
  { value: 'leave', name: 'Leave', icon: 'pin', about: 'The file stays where it is, and no later rule takes it.' },
]

export const CONFLICTS: readonly Choice<RuleValues['conflict']>[] = [
  { value: 'number', name: 'Keep both, with a number', about: 'The new file is called “name (2)”.' },
  { value: 'skip', name: 'Leave the new file', about: 'It stays where it is.' },
  { value: 'newer', name: 'Keep the newer', about: 'The older one goes to the trash.' },
  { value: 'larger', name: 'Keep the larger', about: 'The smaller one goes to the trash.' },
  { value: 'best', name: 'Keep the better', about: 'The one of less quality goes to the trash.' },
]

export const SAMES: readonly Choice<RuleValues['same']>[] = [
  { value: 'conflict', name: 'As with any other file', about: '' },
  { value: 'trash', name: 'The new file goes to the trash', about: '' },
  { value: 'link', name: 'The new file becomes a hard link', about: '' },
]

export const THENS: readonly Choice<RuleValues['then']>[] = [
  { value: 'stop', name: 'No later rule takes it', about: '' },
  { value: 'continue', name: 'Later rules may act as well', about: '' },
]

/** The choice of a value. */
export function chosen<C extends Choice<string>>(choices: readonly C[], value: C['value']): C {
  return choices.find((one) => one.value === value) ?? choices[0]!
}

/** Whether files stay beside what the rule makes, so that later rules may act too. */
export function lasting(action: RuleValues['action']): boolean {
  return action !== 'move' && action !== 'leave'
}

let ids = 0

export function condition(field: string, text = ''): Condition {
  return { id: ids++, field, text }
}

/** A value as text, one line for each of several. */
export function textOf(value: Value): string {
  return (Array.isArray(value) ? value : [value]).map(String).join('\n')
}

function scalar(line: string, numeric: boolean): string | number {
  return numeric && line !== '' && Number.isFinite(Number(line)) ? Number(line) : line
}

/** What was typed, as a value; plain numbers are numbers where the field is one. */
export function valueOf(text: string, numeric: boolean): Value {
  const lines = text.split('\n').map((line) => line.trim()).filter(Boolean)
  return lines.length === 1 ? scalar(lines[0]!, numeric) : lines.map((line) => scalar(line, numeric))
}

/** A rule to edit. */
export function draftOf(rule: RuleValues): Draft {
  const { name, to, action, conflict, same, auto, confidence, then } = rule
  return { id: ids++, name, to, action, conflict, same, auto, confidence, then, when: Object.entries(rule.when).map(([field, value]) => condition(field, textOf(value))) }
}

/** A rule to begin with, whose name is not taken. */
export function fresh(taken: readonly string[]): Draft {
  let number = 1
  while (taken.includes(`Rule ${number}`)) number++
  return { id: ids++, name: `Rule ${number}`, when: [], to: '', action: 'move', conflict: 'number', same: 'conflict', auto: false, confidence: 0.8, then: 'stop' }
}

/** Stands in the name of a field of which there is one for each metric. */
const METRIC = 'METRIC'

/** Fields to choose from, those of metrics one by one. */
export function choosable(fields: readonly RuleField[], metrics: readonly string[]): RuleField[] {
  return fields.flatMap((field) => (field.name.endsWith(METRIC) ? metrics.map((metric) => ({ ...field, name: field.name.replace(METRIC, metric) })) : [field]))
}

/** What is known of a field. */
export function known(fields: readonly RuleField[], name: string): RuleField | undefined {
  const family = name.replace(/\..*/, `.${METRIC}`)
  return fields.find((field) => field.name === name || field.name === family)
}

/** A value as examples have it, written for the file, in the way in which it is typed. */
export function typed(example: string): string {
  try {
    return textOf(JSON.parse(example) as Value)
  } catch {
    return example
  }
}

/** What was edited, as the daemon takes it. */
export function ruleOf(draft: Draft, fields: readonly RuleField[]): RuleValues {
  const { id: _, when, ...rest } = draft
  return {
    ...rest,
    name: draft.name.trim(),
    to: draft.action === 'leave' ? '' : draft.to.trim(),
    then: lasting(draft.action) ? draft.then : 'stop',
    when: Object.fromEntries(when.map(({ field, text }) => [field, valueOf(text, known(fields, field)?.type === 'number')])),
  }
}

/** Whether rules say the same, whatever was typed to say it. */
export function same(one: readonly RuleValues[], other: readonly RuleValues[]): boolean {
  return JSON.stringify(one.map(canonical)) === JSON.stringify(other.map(canonical))
}

function canonical({ name, when, to, action, conflict, same: twin, auto, confidence, then }: RuleValues): unknown {
  return [name, Object.entries(when).map(([field, value]) => [field, Array.isArray(value) ? value : [value]]), to, action, conflict, twin, auto, confidence, then]
}

/** The list with one entry at another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list]
  next.splice(to, 0, ...next.splice(from, 1))
  return next
}

/** When a rule takes a photo, in one line. */
export function conditions(rule: Pick<RuleValues, 'when'>): string {
  const parts = Object.entries(rule.when).map(([field, value]) => `${field} ${textOf(value).split('\n').join(' or ')}`)
  return parts.length ? `When ${parts.join(', ')}` : 'Every photo'
}

/** How many photos of a preview each rule took. */
export function tally(rules: readonly Pick<SortRule, 'name'>[], items: readonly { rule: string }[]): Map<string, number> {
  const counts = new Map(rules.map(({ name }) => [name, 0]))
  for (const { rule } of items) if (counts.has(rule)) counts.set(rule, counts.get(rule)! + 1)
  return counts
}
