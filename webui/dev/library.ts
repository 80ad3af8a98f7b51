/** A made-up library that answers like the daemon, for looking at the page while it is made. */

import { createHash } from 'node:crypto'

import type { BucketCells, Cell, File, FilePage, Group, GroupPage, Image, ImageDetail, ImagePage, Job, Outline, Reason, Root, SimilarPage, Status, Trashed, Why } from '../src/lib/types.ts'
import { MockCuration } from './curation.ts'
import { pictures, type Picture } from './pictures.ts'
import { INBOX, MockSorting } from './sorting.ts'

const DAY = 86_400
const started = Date.now() / 1000 - 3 * DAY - 4000

interface Entry {
  readonly image: Image
  readonly added: number
  readonly picture: Picture
}

function hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A number in [0, 1) that stays the same for the same text. */
function chance(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32
}

const roots = { pictures: '/home/ada/Pictures', camera: '/mnt/nas/Camera Roll', inbox: INBOX }

/** `scene`: full (default), empty (roots without photos) or none (no roots). */
export class MockLibrary {
  readonly #entries: Entry[] = []
  readonly #groups = new Map<string, Group>()
  readonly #listeners = new Set<(event: string, data: unknown) => void>()
  readonly #scene: string
  readonly #source: Picture[]
  readonly #trash = new Set<string>()
  #jobs: Job[] = []
  #quarantine: File[]
  #made = 0
  readonly curation: MockCuration
  readonly sorting: MockSorting
  #missing = 48
  #ready = 412

  constructor(scene: string, directory: string | undefined, size: number) {
    this.#scene = scene
    this.#source = pictures(directory)
    if (scene === 'full') for (let at = 0; at < size; at++) this.#add(started - chance(`day ${Math.floor(at / 9)}`) * 900 * DAY - at, started + at)
    this.#quarantine = scene === 'full' ? this.#failures() : []
    this.#group()
    this.curation = new MockCuration({
      groups: () => [...this.#groups.values()],
      images: (group) => this.#entries.flatMap(({ image }) => (image.group === group ? [image] : [])),
      put: (group) => this.#groups.set(group.id, group),
      drop: (group) => this.#groups.delete(group),
      tell: () => this.#tell('groups', {}),
    })
    this.sorting = new MockSorting({
      dropped: () => this.#entries.slice(0, scene === 'full' ? 14 : 0).map(({ image }) => ({ id: image.id, name: image.name, taken: image.taken ?? '2024-06-01' })),
      work: (kind, total, over) => this.#work(kind, total, '', over),
      tell: (event) => this.#tell(event, {}),
    })
    this.#jobs = scene === 'full' ? [this.#job('backup', 'complete', { done: 1, total: 1, detail: '18.2 MB written' }), this.#job('scan', 'complete', { done: 214, total: 214, detail: '3 new files' })] : []
  }

  listen(listener: (event: string, data: unknown) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(event: string, data: unknown): void {
    for (const listener of this.#listeners) listener(event, data)
  }

  #file(name: string, root: keyof typeof roots, folder: string, image: string | null, state: File['state'], reason: Reason | null): File {
    const path = `${roots[root]}/${folder}/${name}`
    return {
      id: hex(path).slice(0, 24), root, path, name, state, settled: true, since: started, first_seen: started,
      size: 200_000 + Math.floor(chance(path) * 9e6), attempts: 0, image, reason,
    }
  }

  #add(taken: number, added: number): Entry {
    const at = this.#made++
    const picture = this.#source[at % this.#source.length]!
    const id = hex(`photo ${at}`)
    const away = chance(`away ${id}`) < 0.03
    const date = new Date(taken * 1000).toISOString()
    const file = this.#file(
      picture.name, away ? 'camera' : 'pictures', `${date.slice(0, 4)}/${date.slice(5, 7)}`, id, away ? 'away' : 'indexed',
      away ? { code: 'root-away', message: 'Its folder is away', next_step: 'Plug the disk in again.' } : null,
    )
    const image: Image = {
      id, name: picture.name, status: away ? 'away' : 'indexed', width: picture.width, height: picture.height,
      taken: date.slice(0, 19), taken_at: Math.floor(taken), taken_from: 'exif', group: null, group_name: null,
      scores: { brisque: 12 + chance(`b${id}`) * 60, niqe: 2.5 + chance(`n${id}`) * 5, piqe: 15 + chance(`p${id}`) * 60 },
      label: chance(`l${id}`) < 0.04 ? (['red', 'yellow', 'green', 'blue', 'purple'] as const)[Math.floor(chance(`c${id}`) * 5)]! : null, caption: null,
      rating: chance(`r${id}`) < 0.08 ? 3 + Math.floor(chance(`s${id}`) * 3) : null,
      format: file.name.endsWith('PNG') ? 'PNG' : 'JPEG', size: file.size, reason: file.reason,
      files: chance(`twice ${id}`) < 0.05 ? [file, { ...file, id: `${file.id}x`, path: file.path.replace(roots.pictures, roots.camera), root: 'camera' }] : [file],
    }
    const entry = { image, added, picture }
    this.#entries.push(entry)
    return entry
  }

  #group(): void {
    const names: Readonly<Record<string, string>> = { sunflower: 'Sunflowers', dalmatian: 'Dotty', ketch: 'Sailing', pizza: 'Friday pizza', 'colour 3': 'Sky' }
    const kinds = new Map<string, Entry[]>()
    for (const entry of this.#entries) {
      if (chance(`g${entry.image.id}`) < 0.9) kinds.set(entry.picture.kind, [...(kinds.get(entry.picture.kind) ?? []), entry])
    }
    for (const [kind, members] of kinds) {
      if (members.length < 5 || kind === 'misc') continue
      const id = `g${hex(kind).slice(0, 11)}`
      const name = this.#groups.get(id)?.name ?? names[kind] ?? null
      for (const { image } of members) Object.assign(image, { group: id, group_name: name })
      this.#groups.set(id, { id, name, size: members.length, kind: 'visual', space: 'builtin', created: started, exemplars: members.slice(0, 5).map(({ image }) => image.id), state: 'active', locked: name === 'Dotty', touched: name !== null, cohesion: 0.86, waiting: 0, lineage: [{ event: 'born', other: null, at: started }] })
    }
  }

  #failures(): File[] {
    const cases: [string, string, string, string, number][] = [
      ['truncated.jpg', 'decode-failed', 'The image data end too early', 'Copy the file again from its source; it is tried again by itself when it changes.', 0],
      ['bomb.png', 'too-large', '900 megapixels are more than the 256 allowed', 'Raise decode.max_megapixels if you trust this file.', 0],
      ['crasher.tiff', 'worker-failed', 'The decoder crashed on this file, twice', 'It is left alone. Try again after an update.', 2],
      ['private.jpg', 'unreadable', 'Permission denied', 'Give the user that runs pixsortd read permission.', 0],
      ['notes.heic', 'dependency-missing', 'HEIC needs the optional extra', 'Run `pip install "pixsortd[heif]"`, then try again.', 0],
    ]
    return cases.map(([name, code, message, next_step, attempts], at) => ({
      ...this.#file(name, 'pictures', 'Imports/2019 old phone', null, 'failed', { code, message, next_step }), attempts, since: Date.now() / 1000 - 400 * (1 + at) ** 3,
    }))
  }

  #job(kind: string, state: Job['state'], more: Partial<Job> = {}): Job {
    const now = Date.now() / 1000
    return { id: hex(`${kind} ${now}`).slice(0, 12), kind, state, done: 0, total: 0, error: null, detail: '', created: now - 900, started: now - 900, ended: state === 'complete' ? now - 880 : null, result: {}, ...more }
  }

  /** Photos drop in, as if a card were being copied. */
  arrive(count: number): void {
    const now = Date.now() / 1000
    for (let at = 0; at < count; at++) this.#add(now - chance(`${now} ${at}`) * 20 * DAY, now)
    this.#ready = Math.max(0, this.#ready - count)
    this.#tell('photos', {})
  }

  entry(id: string): Entry | undefined {
    return this.#entries.find(({ image }) => image.id === id)
  }

  #found(query: URLSearchParams): Entry[] {
    const sort = query.get('sort') ?? '-taken'
    const group = query.get('group')
    const found = this.#entries.filter(
      ({ image }) =>
        !this.#trash.has(image.id) &&
        (!query.get('root') || image.files.some((file) => file.root === query.get('root'))) &&
        (!query.get('status') || image.status === query.get('status')) &&
        (!query.get('rating') || (image.rating ?? 0) >= Number(query.get('rating'))) &&
        (!query.get('label') || image.label === query.get('label')) &&
        (!group || (group === 'none' ? image.group === null : image.group === group)) &&
        (!query.get('from') || image.taken! >= query.get('from')!) &&
        (!query.get('to') || image.taken!.slice(0, 10) <= query.get('to')!),
    )
    const by = (entry: Entry): number => (sort === '-added' ? -entry.added : sort === 'taken' ? entry.image.taken_at! : -entry.image.taken_at!)
    return found.sort((a, b) => by(a) - by(b))
  }

  images(query: URLSearchParams): ImagePage {
    return page(this.#found(query).map(({ image }) => image), query)
  }

  #buckets(query: URLSearchParams): Map<string, Cell[]> {
    const buckets = new Map<string, Cell[]>()
    for (const [at, { image }] of this.#found(query).entries()) {
      const key = query.get('sort') === '-added' ? `n${Math.floor(at / 500) * 500}` : image.taken!.slice(0, 7)
      const { id, name, status, width, height, taken_at, rating, label, group } = image
      buckets.set(key, [...(buckets.get(key) ?? []), { id, name, status, width, height, taken_at, rating, label, group }])
    }
    return buckets
  }

  outline(query: URLSearchParams): Outline {
    const items = [...this.#buckets(query)].map(([key, cells]) => ({ key, count: cells.length }))
    return { items, total: items.reduce((sum, { count }) => sum + count, 0) }
  }

  bucket(key: string, query: URLSearchParams): BucketCells {
    return { key, items: this.#buckets(query).get(key) ?? [] }
  }

  mark(ids: readonly string[], change: Partial<Pick<Image, 'rating' | 'label' | 'caption'>>): { items: Image[] } {
    this.#tell('photos', { changed: ids })
    return { items: this.#entries.filter(({ image }) => ids.includes(image.id)).map(({ image }) => Object.assign(image, change)) }
  }

  discard(ids: readonly string[]): { items: Trashed[] } {
    const now = Date.now() / 1000
    const items = ids.map((image): Trashed => {
      const entry = this.entry(image)!
      const away = entry.image.status === 'away'
      if (!away) this.#trash.add(image)
      return {
        image, last_copy: !away,
        items: away ? [] : [{ id: `t${image}`, image, root: 'pictures', path: entry.image.files[0]!.path, name: entry.image.name, size: entry.image.size!, companions: 0, at: now, until: now + 30 * DAY, last_copy: true }],
        reason: away ? { code: 'root-away', message: 'Its folder is away', next_step: 'Plug the disk in again.' } : null,
      }
    })
    this.#tell('photos', {})
    return { items }
  }

  restore(ids: readonly string[]): { items: { id: string; path: string; reason: null }[] } {
    for (const id of ids) this.#trash.delete(id.slice(1))
    this.#tell('photos', {})
    return { items: ids.map((id) => ({ id, path: this.entry(id.slice(1))!.image.files[0]!.path, reason: null })) }
  }

  everything(): ImageDetail[] {
    return this.#entries.map((entry) => this.detail(entry))
  }

  detail(entry: Entry): ImageDetail {
    const { image, added } = entry
    const ranges: Readonly<Record<string, number>> = { brisque: 100, niqe: 10, piqe: 100 }
    return {
      ...image, added, batches: [], frames: 1, decoder: 'Pillow 12.1',
      exif: {
        taken: `${image.taken}.120+02:00`, taken_at: image.taken_at, camera_make: 'FUJIFILM', camera_model: 'X-T5', lens: 'XF 23mm F1.4 R LM WR',
        exposure_seconds: 1 / 250, exposure: '1/250', f_number: 2.8, iso: 320, focal_length: 23, focal_length_35mm: 35, latitude: 48.85837, longitude: 2.29448,
        altitude: 78.4, orientation: 1, rating: null, description: null, software: 'Digital Camera X-T5 Ver1.10',
      },
      quality: Object.entries(image.scores).map(([metric, value]) => ({ metric, value, lower_better: true, low: 0, high: ranges[metric] ?? 100, long_side: 512, version: '1', at: added })),
      groups: image.group ? [{ group: image.group, group_name: image.group_name, strength: 0.93, how: 'clustered', at: added, similarity: 0.874, nearest: this.#groups.get(image.group)!.exemplars }] : [],
    }
  }

  similar(entry: Entry, limit: number): SimilarPage {
    const near = this.#entries.filter((other) => other !== entry && other.picture.kind === entry.picture.kind).slice(0, limit)
    const items = near.map(({ image }, at) => ({ ...image, similarity: 0.97 - at * 0.021 }))
    return { items, next_cursor: null, total: items.length, space: 'builtin' }
  }

  why(entry: Entry): Why {
    const { image, added } = entry
    const path = image.files[0]!.path
    const step = (at: number, what: string, detail: string): Why['steps'][number] => ({ at, what, detail, root: 'pictures', path: what === 'found' ? path : null })
    return {
      image, files: image.files, grouping: this.#grouping(entry), membership: this.detail(entry).groups[0] ?? null, excluded_by: null,
      steps: [
        step(added - 9, 'found', 'a new file, by an event'),
        step(added - 6, 'settled', 'size, mtime and ctime were equal twice, 2.1 s apart'),
        step(added, 'indexed', 'decoded as JPEG in 14 ms, embedded by builtin, scored by brisque, niqe, piqe'),
        ...(image.group ? [step(added + 40, 'grouped', `clustered with strength 0.93 into ${image.group_name ?? image.group}`)] : []),
      ],
    }
  }

  #grouping({ image }: Entry): Why['grouping'] {
    const own = image.group === null ? null : this.#groups.get(image.group)!
    const rivals = [...this.#groups.values()].filter((group) => group !== own).slice(0, 2)
    return {
      group: image.group, name: image.group_name, how: own ? 'clustered' : '', strength: own ? 0.93 : null, similarity: own ? 0.874 : null, nearest: own?.exemplars ?? [],
      constraint: own?.locked ? `${own.name} is locked: nobody but you changes who is in it` : null,
      unsure: own ? null : 'its neighbours are in two groups, 4 in one and 3 in the other; one more photo like it in either would settle that',
      rivals: rivals.map((group, at) => ({ group: group.id, name: group.name, similarity: 0.71 - at / 10, needs: `a mean likeness of ${83 + at}% to its nearest members, ${12 + 10 * at} points more` })),
    }
  }

  groups(query: URLSearchParams): GroupPage {
    return page([...this.#groups.values()].map((group) => this.#told(group)).sort((a, b) => b.size - a.size), query)
  }

  #told(group: Group): Group {
    return { ...group, waiting: this.curation.waiting(group.id) }
  }

  group(id: string): Group | undefined {
    const group = this.#groups.get(id)
    return group && this.#told(group)
  }

  recluster(): Job {
    return this.#work('recluster', this.#entries.length, 'clustering', () => this.#tell('groups', {}))
  }

  #work(kind: string, total: number, detail: string, over: () => void): Job {
    let job = this.#job(kind, 'running', { total, ended: null, detail })
    this.#jobs = [job, ...this.#jobs]
    const tick = setInterval(() => {
      const now = this.#jobs.find((one) => one.id === job.id)!
      const done = Math.min(now.total, now.done + Math.ceil(now.total / 20))
      const ending = done === now.total || now.state === 'cancelled'
      job = now.state === 'cancelled' ? now : { ...now, done, state: ending ? 'complete' : 'running', ended: ending ? Date.now() / 1000 : null }
      this.#jobs = this.#jobs.map((one) => (one.id === job.id ? job : one))
      this.#tell('job', job)
      if (ending) {
        clearInterval(tick)
        over()
      }
    }, 400)
    return job
  }

  scan(root: string): Job {
    const job = this.#job('scan', 'complete', { done: 214, total: 214, detail: `${root}: nothing new` })
    this.#jobs = [job, ...this.#jobs]
    this.#tell('job', job)
    return job
  }

  jobs(): Job[] {
    return this.#jobs
  }

  cancel(id: string): Job | undefined {
    this.#jobs = this.#jobs.map((job) => (job.id === id ? { ...job, state: 'cancelled', ended: Date.now() / 1000 } : job))
    return this.#jobs.find((job) => job.id === id)
  }

  confirmGone(): number {
    const gone = this.#missing
    this.#missing = 0
    this.#tell('roots', {})
    return gone
  }

  quarantine(query: URLSearchParams): FilePage {
    return page(this.#quarantine, query)
  }

  retry(ids: readonly string[]): { queued: string[]; unknown: string[] } {
    const queued = this.#quarantine.filter((file) => ids.includes(file.id)).map((file) => file.id)
    this.#quarantine = this.#quarantine.filter((file) => !queued.includes(file.id))
    this.#tell('quarantine', {})
    return { queued, unknown: ids.filter((id) => !queued.includes(id)) }
  }

  #root(id: keyof typeof roots, more: Partial<Root>): Root {
    const photos = this.#entries.filter(({ image }) => image.files[0]!.root === id).length
    const rest = id === 'pictures' && this.#scene === 'full' ? { excluded: 318, pending: this.#ready + 14, failed: this.#quarantine.length } : { excluded: 0, pending: 0, failed: 0 }
    const away = id === 'camera' ? photos : 0
    const indexed = photos - away
    return {
      id, path: roots[id], role: 'library', state: 'online', since: started, reason: null, watch: 'events', watch_reason: null, directories: 214, watched: 214, missing: 0, skipped: {}, writable: false,
      ledger: { on_disk: indexed + away + rest.excluded + rest.pending + rest.failed, indexed, away, ...rest },
      scan: { running: false, directories: 214, files: photos, ended: Date.now() / 1000 - 1260, seconds: 3.4 }, ...more,
    }
  }

  /** Without the stages, which are known elsewhere. */
  status(): Omit<Status, 'stages'> {
    const full = this.#scene === 'full'
    const missing: Reason = { code: 'weights-missing', message: 'The weights of clip are not on this machine', next_step: 'Run: pixsortd models pull clip' }
    const away = this.#missing ? { state: 'away' as const, missing: this.#missing, reason: { code: 'many-missing', message: `${this.#missing} of 73 files are missing at once; nothing is forgotten`, next_step: 'Bring the disk back, or say that they are gone.' } } : {}
    const list = this.#scene === 'none' ? [] : [
      this.#root('pictures', full ? { skipped: { symlink: 3, fifo: 1 } } : {}),
      ...(full ? [this.#root('camera', { watch: 'degraded', watch_reason: { code: 'inotify-limit', message: 'The kernel watches no more folders', next_step: 'sysctl fs.inotify.max_user_watches=524288' }, watched: 8_190, directories: 11_204, ...away }), this.#root('inbox', { role: 'inbox', writable: true })] : []),
    ]
    const space = { model: null, revision: null, dim: null, device: '' }
    const metric = { lower_better: true, low: 0, high: 100, long_side: 512, license: null, device: 'cpu' }
    return {
      version: '0.1.0', started, uptime: Date.now() / 1000 - started, pid: 4242, roots: list,
      queue: { settling: full ? 14 : 0, ready: full ? this.#ready : 0, in_flight: full ? 32 : 0, backfill: full ? 120 : 0, rate: full ? 18 + 6 * Math.sin(Date.now() / 9000) + 2 * Math.sin(Date.now() / 1300) : 0, eta: full ? this.#ready / 18 : null },
      worker: { state: full ? 'busy' : 'off', pid: full ? 4311 : null, device: full ? 'cpu' : '', rss: full ? 812e6 : 0, crashes: full ? 1 : 0, reason: null },
      index: { photos: this.#entries.length, groups: this.#groups.size, grouped: this.#entries.filter(({ image }) => image.group).length, quarantined: this.#quarantine.length, bytes: 18.2e6, free: 412e9, generation: 8123, schema: 1 },
      spaces: [
        { ...space, name: 'clip', state: 'unavailable', reason: missing },
        { ...space, name: 'builtin', state: 'ready', reason: null, dim: 512, device: 'cpu' },
      ],
      metrics: [
        { ...metric, name: 'brisque', state: 'ready', reason: null },
        { ...metric, name: 'niqe', state: 'ready', reason: null },
        { ...metric, name: 'piqe', state: 'unknown', reason: null },
      ],
      space: 'builtin', wanted_space: 'clip', jobs: this.#jobs.filter((job) => job.state === 'running'), notices: full ? [{ ...missing, message: `${missing.message}; builtin is used meanwhile` }] : [],
    }
  }
}

/** A slice with an offset as its cursor. */
export function page<T>(items: readonly T[], query: URLSearchParams): { items: T[]; next_cursor: string | null; total: number } {
  const start = Number(query.get('cursor') ?? 0)
  const end = start + Number(query.get('limit') ?? 100)
  return { items: items.slice(start, end), next_cursor: end < items.length ? String(end) : null, total: items.length }
}
