/** What the user does to made-up groups: edits with an undo, a proposal that waits, cuts, and what was learned. */

import { createHash } from 'node:crypto'

import type { Cell, Cut, CutPage, Group, GroupEdit, Image, Learning, Levels, PastEdit, Proposal, ProposedChange } from '../src/lib/types.ts'
import { counted } from './sorting.ts'

interface Made extends PastEdit {
  readonly back: () => void
}

/** What edits need of the library they are made in. */
export interface Edited {
  groups(): Group[]
  images(group: string | null): Image[]
  put(group: Group): void
  drop(group: string): void
  tell(): void
}

const DAY = 86_400
const FIRST = 24

export class MockCuration {
  readonly #library: Edited
  readonly #past: Made[] = []
  #items: ProposedChange[]
  #applied: ProposedChange[] = []
  #use: boolean | null = null
  #made = 0

  constructor(library: Edited) {
    this.#library = library
    this.#items = this.#proposed()
  }

  #proposed(): ProposedChange[] {
    const [first, second, third] = this.#library.groups().filter(({ name }) => name !== null)
    if (!first || !second || !third) return []
    const line = (kind: ProposedChange['kind'], from: Group | null, to: Group | null, images: string[], why: string): ProposedChange => ({
      id: `c${this.#made++}`, kind, group: from?.id ?? null, group_name: from?.name ?? null, to: to?.id ?? null, to_name: to?.name ?? null,
      photos: images.length, images: images.slice(0, FIRST), waits: why !== '', why, unsteady: kind === 'leave',
    })
    const of = (group: Group | null, from: number, to: number): string[] => this.#library.images(group?.id ?? null).slice(from, to).map(({ id }) => id)
    this.#applied = [line('join', null, second, of(null, 10, 13), ''), line('birth', null, null, of(null, 20, 26), '')].map((one) => (one.kind === 'birth' ? { ...one, to: third.id } : one))
    return [
      line('split', first, { ...second, id: 'gnew', name: null }, of(first, 0, 31), `you named ${first.name}`),
      line('leave', second, null, of(second, 2, 4), `you named ${second.name} and moved photos into it`),
      line('join', null, third, of(null, 0, 5), `${third.name} is locked`),
      line('merge', second, third, of(second, 0, 9), `you named both ${second.name} and ${third.name}`),
    ]
  }

  /** Where photos go, as one edit that can be undone. */
  #edit(what: string, ids: readonly string[], to: Group | null, more: () => void = () => undefined): GroupEdit {
    const before = new Map(this.#library.groups().map((group) => [group.id, group]))
    const photos = this.#all().filter(({ id }) => ids.includes(id))
    const were = photos.map((photo) => [photo, photo.group] as const)
    for (const photo of photos) photo.group = to?.id ?? null
    more()
    const groups = [...new Set([...were.map(([, group]) => group), to?.id])].filter((id) => id != null)
    const back = (): void => {
      for (const [photo, group] of were) photo.group = group
      for (const group of this.#library.groups()) if (!before.has(group.id)) this.#library.drop(group.id)
      for (const group of before.values()) this.#library.put(group)
    }
    return this.#note(what, groups, photos.length, back)
  }

  #note(what: string, groups: string[], photos: number, back: () => void): GroupEdit {
    const edit = `e${this.#made++}`
    this.#past.unshift({ edit, at: Date.now() / 1000, what, groups, photos, undone: false, undoable: true, why_not: null, back })
    this.#count()
    this.#library.tell()
    return { edit, summary: what, groups: this.#library.groups().filter(({ id }) => groups.includes(id)), undo: `/groups/edits/${edit}/undo`, left: [] }
  }

  #all(): Image[] {
    return [...this.#library.groups().flatMap(({ id }) => this.#library.images(id)), ...this.#library.images(null)]
  }

  #count(): void {
    for (const group of this.#library.groups()) {
      const size = this.#library.images(group.id).length
      if (size) this.#library.put({ ...group, size })
      else this.#library.drop(group.id)
    }
    for (const group of this.#library.groups()) for (const photo of this.#library.images(group.id)) photo.group_name = group.name
  }

  #group(id: string): Group {
    return this.#library.groups().find((group) => group.id === id)!
  }

  #name(id: string): string {
    return this.#group(id).name ?? 'an unnamed group'
  }

  members(id: string, body: { add?: string[]; remove?: string[]; bar?: string[] }): GroupEdit {
    const group = this.#group(id)
    const touch = (): void => this.#library.put({ ...group, touched: true })
    if (body.add?.length) return this.#edit(`Put ${body.add.length} photos into ${this.#name(id)}`, body.add, group, touch)
    const out = body.remove ?? body.bar ?? []
    return this.#edit(body.bar?.length ? `Keep ${out.length} photos out of ${this.#name(id)}` : `Took ${out.length} photos out of ${this.#name(id)}`, out, null, touch)
  }

  name(id: string, name: string | null): Group & Pick<GroupEdit, 'edit' | 'summary' | 'undo'> {
    const { edit, summary, undo } = this.#edit(name === null ? 'Took the name back' : `Named it ${name}`, [], this.#group(id), () => this.#library.put({ ...this.#group(id), name, touched: true }))
    return { ...this.#group(id), edit, summary, undo }
  }

  merge(id: string, groups: readonly string[]): GroupEdit {
    const ids = groups.flatMap((one) => this.#library.images(one).map((photo) => photo.id))
    const into = this.#group(id)
    return this.#edit(`Merged ${groups.length + 1} groups into ${this.#name(id)} (${into.size + ids.length} photos)`, ids, into, () =>
      this.#library.put({ ...into, touched: true, lineage: [...into.lineage, ...groups.map((other) => ({ event: 'merged' as const, other, at: Date.now() / 1000 }))] }),
    )
  }

  /** Null where the group has no two parts. */
  split(id: string, images: readonly string[] | null): GroupEdit | null {
    const from = this.#group(id)
    const ids = images ?? this.#library.images(id).slice(0, Math.floor(from.size / 3)).map((photo) => photo.id)
    if (!images && from.size < 12) return null
    const born: Group = { ...from, id: `g${createHash('sha256').update(ids[0]!).digest('hex').slice(0, 10)}`, name: null, exemplars: ids.slice(0, 5), touched: true, locked: false, created: Date.now() / 1000, lineage: [{ event: 'split-from', other: id, at: Date.now() / 1000 }] }
    return this.#edit(`Split ${ids.length} photos off ${this.#name(id)}`, ids, born, () => {
      this.#library.put(born)
      this.#library.put({ ...from, touched: true, lineage: [...from.lineage, { event: 'split-off', other: born.id, at: Date.now() / 1000 }] })
    })
  }

  lock(id: string, locked: boolean): GroupEdit {
    return this.#edit(`${locked ? 'Locked' : 'Unlocked'} ${this.#name(id)}`, [], this.#group(id), () => this.#library.put({ ...this.#group(id), locked, touched: true }))
  }

  relate(images: readonly string[], relation: string): GroupEdit {
    const words: Readonly<Record<string, string>> = { together: 'belong together', apart: 'do not belong together', distinct: 'are no duplicates' }
    return this.#note(`${images.length} photos ${words[relation]}`, [], images.length, () => undefined)
  }

  release(images: readonly string[]): GroupEdit {
    return this.#note(`Took back what was said of ${images.length} photos`, [], images.length, () => undefined)
  }

  edits(): PastEdit[] {
    return this.#past.map(({ back: _, ...edit }) => edit)
  }

  undo(id: string): GroupEdit | null {
    const at = this.#past.findIndex(({ edit }) => edit === id)
    const edit = this.#past[at]
    if (!edit || edit.undone) return null
    const now = this.#all().map((photo) => [photo, photo.group] as const)
    const groups = this.#library.groups()
    this.#past[at] = { ...edit, undone: true, undoable: false }
    edit.back()
    return this.#note(`Undone: ${edit.what}`, edit.groups, edit.photos, () => {
      for (const group of groups) this.#library.put(group)
      for (const [photo, group] of now) photo.group = group
      this.#past[this.#past.findIndex((one) => one.edit === id)] = edit
    })
  }

  proposal(): Proposal {
    const names = new Map(this.#library.groups().map(({ id, name }) => [id, name]))
    const called = (line: ProposedChange): ProposedChange => ({ ...line, group_name: names.get(line.group ?? '') ?? null, to_name: names.get(line.to ?? '') ?? null })
    const ran = this.#library.groups().length > 0
    return {
      run: ran ? 'r1' : null, at: ran ? Date.now() / 1000 - 3 * 3600 : null, method: 'HDBSCAN on re-weighted neighbours', photos: ran ? 2400 : 0, changed: ran ? 9 : 0,
      conflicts: ran ? ['You said that two photos belong together, and that one of them is never in Sailing, where the other is pinned; the pin holds, as it is later'] : [],
      items: this.#items.map(called), applied: this.#applied.map(called),
      waiting: counted(this.#items.map(({ kind }) => kind)), next_cursor: null, total: this.#items.length + this.#applied.length,
    }
  }

  proposed(id: string): ProposedChange | undefined {
    return this.#items.find((line) => line.id === id)
  }

  waiting(group: string): number {
    return this.#items.filter((line) => line.group === group || line.to === group).length
  }

  settle(id: string, accepted: boolean, images: readonly string[] | null): GroupEdit | null {
    const line = this.proposed(id)
    if (!line) return null
    const before = this.#items
    const rest = images === null ? [] : line.images.filter((one) => !images.includes(one))
    this.#items = this.#items.flatMap((one) => (one !== line ? [one] : rest.length ? [{ ...one, images: rest, photos: one.photos - images!.length }] : []))
    const to = this.#library.groups().find((group) => group.id === line.to) ?? null
    const edit = this.#edit(`${accepted ? 'Accepted' : 'Refused'}: ${line.kind} of ${(images ?? line.images).length} photos`, accepted ? (images ?? line.images) : [], to)
    const made = this.#past[0]!
    this.#past[0] = { ...made, back: () => (made.back(), (this.#items = before)) }
    return edit
  }

  levels(): Levels {
    return {
      space: 'builtin', made: Date.now() / 1000 - 3 * 3600,
      items: (['near-duplicate', 'burst', 'scene', 'theme'] as const).map((name, at) => ({ name, cut: name === 'theme' ? 0.5 : null, likeness: name === 'theme' ? null : 0.9 - at / 10, gap: name === 'burst' ? 30 : null, groups: 640 >> (2 * at), grouped: 1300 + 200 * at })),
      slider: { least: 0, most: 1, default: 0.5 },
    }
  }

  #cut(query: URLSearchParams): { at: number; cuts: Map<Cut, Image[]> } {
    const at = Number(query.get('at') ?? this.levels().items.find(({ name }) => name === query.get('level'))?.likeness ?? 0.5)
    const each = Math.max(2, Math.round(80 * (1 - at) ** 1.5))
    const cuts = new Map<Cut, Image[]>()
    for (const group of this.#library.groups()) {
      const photos = this.#library.images(group.id)
      for (let start = 0; start + 2 <= photos.length; start += each) {
        const some = photos.slice(start, start + each)
        cuts.set({ id: `n${some[0]!.id.slice(0, 10)}`, size: some.length, exemplars: some.slice(0, 5).map(({ id }) => id), group: group.id, group_name: group.name }, some)
      }
    }
    return { at, cuts }
  }

  cuts(query: URLSearchParams): Omit<CutPage, 'next_cursor' | 'total' | 'items'> & { items: Cut[] } {
    const { at, cuts } = this.#cut(query)
    const grouped = [...cuts.values()].reduce((sum, { length }) => sum + length, 0)
    return { at: query.has('at') ? at : null, level: null, groups: cuts.size, grouped, ungrouped: this.#all().length - grouped, items: [...cuts.keys()].sort((a, b) => b.size - a.size) }
  }

  cutImages(node: string, query: URLSearchParams): Cell[] {
    const found = [...this.#cut(query).cuts].find(([{ id }]) => id === node)
    return (found?.[1] ?? []).map(({ id, name, status, width, height, taken_at, rating, label, group }) => ({ id, name, status, width, height, taken_at, rating, label, group }))
  }

  learning(): Learning {
    const pairs = 210
    return {
      state: this.#use === false ? 'off' : 'on', edits: 24, judged: 9, pairs, held_out: 52, plain: 0.81, learned: 0.94, use: this.#use,
      why: `Of 52 pairs kept aside it tells 49 right, without it 42; ${Math.round((Date.now() / 1000 % DAY) / 3600)} h ago.`,
    }
  }

  use(use: boolean | null): Learning {
    this.#use = use
    this.#library.tell()
    return this.learning()
  }
}
