/** Sorting of made-up photos: rules, a plan that waits, a history with its undoing. */

import { folder, spot } from '../src/lib/plans.ts'
import type { Job, PlanDetail, PlanOutline, PlanRecord, PlanStep, Preview, RuleValues, SortRules, Trial, Unmoved } from '../src/lib/types.ts'

/** A photo that lies in the inbox. */
interface Dropped {
  readonly id: string
  readonly name: string
  readonly taken: string
}

export interface Sorted {
  dropped(): Dropped[]
  /** Carry out a job of a kind and say so; answers it as it begins. */
  work(kind: string, total: number, done: () => void): Job
  tell(event: string): void
}

/** How often each text is there; empty ones are not counted. */
export function counted<T extends string>(texts: readonly T[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const text of texts) if (text) counts[text] = (counts[text] ?? 0) + 1
  return counts
}

function byFolder(steps: readonly PlanStep[]): Map<string, PlanStep[]> {
  const found = new Map<string, PlanStep[]>()
  for (const step of steps) found.set(folder(spot(step)), [...(found.get(folder(spot(step))) ?? []), step])
  return found
}

export const INBOX = '/home/ada/Pictures/Inbox'

const FIELDS: readonly (readonly [string, string, string[], string])[] = [
  ['name', 'text', ['"IMG_*.jpg"', '"!Screenshot*"'], 'the name of its file'],
  ['camera', 'text', ['"Canon*"', '"*iPhone*"'], 'make and model of the camera'],
  ['group', 'text', ['"Beach*"', '"any"', '"none"'], 'the group it is in, by name or id'],
  ['rating', 'number', ['">= 3"', '5'], 'its stars, 0 to 5'],
  ['taken', 'date', ['">= 2020-05"', '"last 30d"'], 'when it was taken'],
  ['place', 'place', ['"48.1,11.5 within 20km"'], 'where it was taken'],
  ['quality.METRIC', 'number', ['">= 80"'], 'its quality by one metric, as the share of the library that is no better'],
]

const RULE: RuleValues = { name: '', when: {}, to: '', action: 'move', conflict: 'number', same: 'conflict', auto: false, confidence: 0.8, then: 'stop' }

export class MockSorting {
  readonly #library: Sorted
  readonly #gone = new Set<string>()
  #rules: RuleValues[] = [
    { ...RULE, name: 'Screenshots', when: { name: 'Screenshot*' }, action: 'leave' },
    { ...RULE, name: 'Travel', when: { group: ['Beach*', 'Harbour*'], confidence: '>= 0.8' }, to: '~/Pictures/Travel/{group|safe}/{taken:%Y}/', auto: true },
    { ...RULE, name: 'By month', to: '~/Pictures/{taken:%Y/%m}/{name}' },
  ]
  #past: PlanDetail[] = []
  #trial: Trial = { at: null, since: null, rules: [], photos: 0, matched: {}, unmatched: 0, agree: 0, differ: 0, directories: {}, examples: [], job: null }

  constructor(library: Sorted) {
    this.#library = library
  }

  rules(): SortRules {
    return {
      items: this.#rules.map((rule) => ({ ...rule, digest: rule.name, approved: false, problems: [], photos: this.#steps().filter((step) => step.rule === rule.name).length })),
      fields: FIELDS.map(([name, type, examples, words]) => ({ name, type, examples, words, template: !name.includes('.') && name !== 'place' })),
      filters: [{ name: 'safe', examples: ['{group|safe}'], words: 'without what file systems of others cannot take' }, { name: 'slug', examples: ['{group|slug}'], words: 'lower-case letters, digits and dashes' }],
      file: '/home/ada/.config/pixsortd/pixsortd.toml', writable: true,
    }
  }

  write(rules: RuleValues[]): SortRules {
    this.#rules = rules
    this.#library.tell('plans')
    return this.rules()
  }

  #to({ taken, name }: Dropped, at: number): [string, string] {
    const [year, month] = taken.split('-')
    return at % 3 ? ['By month', `/home/ada/Pictures/${year}/${month}/${name}`] : ['Travel', `/home/ada/Pictures/Travel/Beach walk/${year}/${name}`]
  }

  #steps(): PlanStep[] {
    return this.#library.dropped().flatMap((photo, at): PlanStep[] => {
      if (at % 9 === 8 || this.#gone.has(photo.id)) return []
      const [rule, to] = this.#to(photo, at)
      const files = [{ from: `${INBOX}/${photo.name}`, to: at === 4 ? to.replace('.', ' (2).') : to, discarded: false }]
      if (at === 2) files.push({ from: `${INBOX}/${photo.name}.xmp`, to: `${to}.xmp`, discarded: false })
      return [{
        id: `s${photo.id.slice(0, 12)}`, image: photo.id, rule, action: at === 5 ? 'copy' : 'move', files, displaced: at === 7 ? [{ from: to, to: '', discarded: true }] : [], returned: [], back: false,
        why: rule === 'Travel' ? ['it is in the group Beach walk'] : [`it was taken on ${photo.taken}`], conflict: at === 4 ? 'another photo has the name already, so it gets a number' : '',
        confidence: rule === 'Travel' ? 0.74 + at / 100 : 1, auto: false, waits: at === 3 ? 'it is only 77% sure, and the rule asks for 80%' : 'the first plan of an inbox waits for you', state: 'waiting', reason: '',
      }]
    })
  }

  #unmoved(): Unmoved[] {
    return this.#library.dropped().flatMap(({ id, name }, at): Unmoved[] => (at % 9 === 8 ? [{ image: id, path: `${INBOX}/${name}`, rule: '', why: 'no rule takes it' }] : []))
  }

  #draft(): PlanDetail | null {
    const items = this.#steps()
    const unmoved = this.#unmoved()
    if (!items.length) return null
    return {
      ...this.#record(`d${items.length}`, items.length), items, unmoved, left: unmoved.length, rooms: [{ base: '/home/ada/Pictures', needed: 4.1e6, free: 412e9 }], next_cursor: null, total: items.length + unmoved.length,
    }
  }

  #record(id: string, steps: number): PlanRecord {
    return { id, at: Date.now() / 1000, state: 'waiting', root: 'inbox', by: '', rules: 'r', undoes: '', redoes: '', undone_by: '', steps, done: 0, refused: 0, undone: 0, bytes: steps * 1.2e6 }
  }

  all(): PlanDetail[] {
    const draft = this.#draft()
    return [...(draft ? [draft] : []), ...this.#past]
  }

  plan(id: string): PlanDetail | undefined {
    return this.all().find((one) => one.id === id)
  }

  outline(plan: PlanDetail): PlanOutline {
    const { items, unmoved, rooms } = plan
    return {
      ...plan, rooms, folders: [...byFolder(items)].map(([path, steps]) => ({ path, steps: steps.map(({ id }) => id) })), settled: items.filter(({ state }) => state === 'undone').map(({ id }) => id),
      by_rule: counted(items.map(({ rule }) => rule)), waits: counted(items.map(({ waits }) => waits)), stays: counted(unmoved.map(({ why }) => why)),
    }
  }

  /** A page of it by folder. */
  part(plan: PlanDetail, start: number, limit: number): PlanDetail {
    const items = [...byFolder(plan.items).values()].flat()
    return { ...plan, items: items.slice(start, start + limit), unmoved: plan.unmoved.slice(Math.max(0, start - items.length), Math.max(0, start + limit - items.length)) }
  }

  apply(plan: PlanDetail, steps: readonly string[] | null): PlanRecord & { job: string } {
    const items = plan.items.filter(({ id }) => !steps || steps.includes(id))
    return this.#carry({ ...plan, id: `p${this.#past.length}`, state: 'applying', by: 'you', items, unmoved: [], left: 0, steps: items.length })
  }

  undo(plan: PlanDetail, steps: readonly string[] | null): PlanRecord & { job: string } {
    const items = plan.items.filter(({ id }) => !steps || steps.includes(id)).map((step) => ({ ...step, state: 'waiting' as const, why: [], files: step.files.map(({ from, to, discarded }) => ({ from: to, to: from, discarded })) }))
    return this.#carry({ ...plan, id: `p${this.#past.length}`, state: 'applying', by: 'you', at: Date.now() / 1000, undoes: plan.id, redoes: plan.redoes ? '' : plan.undoes, undone_by: '', items, steps: items.length })
  }

  #carry(made: PlanDetail): PlanRecord & { job: string } {
    this.#past = [made, ...this.#past]
    const job = this.#library.work('sort', made.steps, () => {
      const done = made.items.map((step) => ({ ...step, state: 'done' as const }))
      this.#past = this.#past.map((one) => {
        if (one.id === made.id) return { ...made, state: 'applied', items: done, done: done.length }
        return one.id === made.undoes ? { ...one, state: 'undone', undone: one.done, done: 0, undone_by: made.id, items: one.items.map((step) => ({ ...step, state: 'undone' })) } : one
      })
      const inbox = made.items.some(({ files }) => files[0]!.to.startsWith(INBOX))
      for (const { image } of made.items) if (inbox) this.#gone.delete(image); else this.#gone.add(image)
      this.#library.tell('plans')
    })
    return { ...this.plan(made.id)!, job: job.id }
  }

  refuse(plan: PlanDetail, steps: readonly string[] | null): PlanRecord {
    for (const { id, image } of plan.items) if (!steps || steps.includes(id)) this.#gone.add(image)
    this.#library.tell('plans')
    return plan
  }

  preview(rules: readonly RuleValues[]): Preview {
    return {
      items: this.#library.dropped().map((photo, at) => {
        const [rule, to] = this.#to(photo, at)
        const there = rules.some(({ name }) => name === rule)
        return { image: photo.id, name: photo.name, from: `${INBOX}/${photo.name}`, to: there ? to : null, rule: there ? rule : '', why: there ? [`it was taken on ${photo.taken}`] : [], waits: there ? '' : 'no rule takes it' }
      }),
      problems: rules.flatMap(({ name, to, action }, index) => (action === 'leave' || to.includes('/') ? [] : [{ index, rule: name, key: 'to', message: 'the destination is missing', next_step: 'Say where its photos go', where: '' }])),
    }
  }

  replay(): Job {
    const job = this.#library.work('replay', 2400, () => {
      this.#trial = {
        at: Date.now() / 1000, since: null, rules: this.#rules.map(({ name }) => name), photos: 2400, matched: { 'By month': 1840, Travel: 310 }, unmatched: 250, agree: 1612, differ: 538,
        directories: { '/home/ada/Pictures/2024/06': 412, '/home/ada/Pictures/2023/12': 280, '/home/ada/Pictures/Travel/Beach walk/2024': 122 }, job: null,
        examples: this.#library.dropped().slice(0, 4).map((photo, at) => ({ image: photo.id, rule: 'By month', now: `/home/ada/Pictures/Old/${photo.name}`, would: this.#to(photo, at)[1] })),
      }
    })
    this.#trial = { ...this.#trial, job: job.id }
    return job
  }

  trial(): Trial {
    return this.#trial
  }
}
