/** What the daemon does right now: its status, kept fresh by its events. */

import { at } from './base.ts'
import { api } from './client.ts'
import { asProblem, type Problem } from './problem.ts'
import type { ServerEvent } from './sse.ts'
import { Stream, type Link } from './stream.ts'
import { renew, timelines } from './timelines.ts'
import type { Job, Stage, Status } from './types.ts'

/** At most this often is the status asked for while events pour in. */
const CALM = 1000
/** While photos are being analysed the rate moves without any event. */
const PULSE = 3000
/** New photos are put in or announced at most this often. */
const ARRIVALS = 2000

/** Photos that changed are fetched one by one up to this many; beyond, the parts of lists that hold them are. */
const FEW = 20

type Part = 'status' | 'jobs' | 'photos' | 'groups' | 'batches' | 'trash' | 'plans' | 'quarantine' | 'stages'

/** What an event of each kind makes stale. */
const STALE: Readonly<Record<string, readonly Part[]>> = {
  photos: ['photos', 'status'],
  roots: ['status'],
  job: ['jobs', 'status'],
  groups: ['groups', 'status'],
  batches: ['batches'],
  trash: ['trash', 'photos'],
  plans: ['plans'],
  status: ['status'],
  quarantine: ['quarantine', 'status'],
  pipeline: ['stages', 'status'],
  gap: ['status', 'jobs', 'photos', 'groups', 'batches', 'trash', 'plans', 'quarantine', 'stages'],
}

let status = $state.raw<Status | null>(null)
let problem = $state.raw<Problem | null>(null)
let jobs = $state.raw<readonly Job[]>([])
let stages = $state.raw<readonly Stage[]>([])
let paces = $state.raw<ReadonlyMap<string, readonly number[]>>(new Map())
let link = $state<Link>('connecting')
let groups = $state(0)
let batches = $state(0)
let trash = $state(0)
let plans = $state(0)
let quarantine = $state(0)
let denied = $state(false)
let changed = $state.raw<ReadonlySet<string>>(new Set())

export const live = {
  get status(): Status | null {
    return status
  },
  /** Why there is no status, while there is none. */
  get problem(): Problem | null {
    return problem
  },
  /** Newest first. */
  get jobs(): readonly Job[] {
    return jobs
  },
  /** The pipeline's stages in their order, renewed while they work or something shows them. */
  get stages(): readonly Stage[] {
    return stages
  },
  /** The last rates of each stage, oldest first, one every few seconds. */
  get paces(): ReadonlyMap<string, readonly number[]> {
    return paces
  },
  get link(): Link {
    return link
  },
  /** Rises whenever groups have changed. */
  get groups(): number {
    return groups
  },
  /** Rises whenever batches have changed. */
  get batches(): number {
    return batches
  },
  /** Rises whenever the trash has changed. */
  get trash(): number {
    return trash
  },
  /** Rises whenever plans of sorting, those that wait or the history, have changed. */
  get plans(): number {
    return plans
  },
  /** Rises whenever the quarantine has changed. */
  get quarantine(): number {
    return quarantine
  },
  /** Photos that changed just now, e.g. because another page rated them. */
  get changed(): ReadonlySet<string> {
    return changed
  },
  /** The daemon asks for its token. */
  get denied(): boolean {
    return denied
  },
  deny(): void {
    denied = true
  },
  /** Take over what a call answered before its event comes. */
  take(job: Job): void {
    know(jobs.some((other) => other.id === job.id) ? jobs.map((other) => (other.id === job.id ? job : other)) : [job, ...jobs])
  },
  running(kind: string): Job | null {
    return jobs.find((job) => job.kind === kind && (job.state === 'queued' || job.state === 'running')) ?? null
  },
}

const awaited = new Map<string, (job: Job) => void>()

function know(next: readonly Job[]): void {
  jobs = next
  for (const job of next) {
    if (job.ended === null) continue
    awaited.get(job.id)?.(job)
    awaited.delete(job.id)
  }
}

/** A job as it is once it has ended. */
export function ended(id: string): Promise<Job> {
  return new Promise((resolve) => {
    awaited.set(id, resolve)
    know(jobs)
  })
}

/** Groups have changed by a call of this page: their event may take a moment. */
export function regrouped(): void {
  RENEW.groups()
}

export async function refresh(): Promise<void> {
  try {
    const next = await api.status()
    const states = (of: Status | null): string => of?.roots.map((root) => `${root.id} ${root.state}`).join() ?? ''
    // Photos of a root that went away or came back say so.
    if (status && states(status) !== states(next)) renew(() => true)
    status = next
    problem = null
  } catch (error) {
    problem = asProblem(error)
  }
}

/** Take over what a call answered about the stages. */
export function takeStages(next: readonly Stage[]): void {
  stages = next
  paces = new Map(next.map(({ name, rate }) => [name, [...(paces.get(name) ?? []).slice(-59), rate]]))
}

async function refreshStages(): Promise<void> {
  try {
    takeStages((await api.stages()).items)
  } catch {
    // The status says what is wrong.
  }
}

let watchers = 0

/** Something shows the stages: keep them fresh. Returns the undoing. */
export function watchStages(): () => void {
  watchers++
  void refreshStages()
  return () => watchers--
}

async function refreshJobs(): Promise<void> {
  try {
    know((await api.jobs()).items)
  } catch {
    // The status says what is wrong; jobs come with the next event.
  }
}

/** Calls of the answer run `act` at once, and then at most every `pause` milliseconds. */
function calmly(act: () => void, pause: number): () => void {
  let due: ReturnType<typeof setTimeout> | undefined
  let last = -Infinity
  return () => {
    if (due !== undefined) return
    const wait = Math.max(0, last + pause - performance.now())
    due = setTimeout(() => {
      due = undefined
      last = performance.now()
      act()
    }, wait)
  }
}

const RENEW: Readonly<Record<Part, () => void>> = {
  status: calmly(() => void refresh(), CALM),
  stages: calmly(() => void refreshStages(), CALM),
  jobs: calmly(() => void refreshJobs(), CALM),
  photos: calmly(() => timelines().forEach((list) => list.news()), ARRIVALS),
  groups: calmly(() => {
    groups++
    renew((list) => list.grouped)
  }, CALM),
  batches: calmly(() => batches++, CALM),
  trash: calmly(() => trash++, CALM),
  plans: calmly(() => plans++, CALM),
  quarantine: calmly(() => quarantine++, CALM),
}

let touched: string[] = []
/** Files went to the trash or came back; photos that changed with it may be no more. */
let moved = false

const renewTouched = calmly(() => {
  changed = new Set(touched)
  touched = []
  const fewer = moved
  moved = false
  const known = [...changed].filter((id) => timelines().some((list) => list.has(id)))
  if (known.length > FEW || fewer) timelines().forEach((list) => void list.recheck(known).catch(forget))
  else for (const id of known) void api.image(id).then((image) => timelines().forEach((list) => list.patch(new Map([[id, image]]))), forget)
}, CALM)

/** A photo that cannot be fetched any more is noticed when its list is next fetched. */
function forget(): void {}

/** The ids of photos that changed in place, when that is all an event is about. */
function changes(event: ServerEvent): string[] {
  try {
    const { changed: ids } = JSON.parse(event.data) as { changed?: unknown }
    return event.event === 'photos' && Array.isArray(ids) ? ids.map(String) : []
  } catch {
    return [] // its kind alone says what has to be fetched again
  }
}

function heed(event: ServerEvent): void {
  const ids = changes(event)
  if (ids.length) {
    touched.push(...ids)
    renewTouched()
    return
  }
  if (event.event === 'trash') moved = true
  for (const part of STALE[event.event] ?? []) RENEW[part]()
}

/** Start listening. Returns the undoing. */
export function follow(): () => void {
  const stream = new Stream(at('/api/events'), {
    event: heed,
    link(next) {
      // Whether only the line was cut or the daemon is gone, its status tells.
      if (next === 'lost' || (next === 'live' && link === 'lost')) RENEW.status()
      link = next
    },
    refused(refusal) {
      if (refusal.status === 401) denied = true
      return refusal.status !== 401
    },
  })
  void refresh()
  void refreshJobs()
  const pulse = setInterval(() => {
    const queue = status?.queue
    const busy = queue && queue.ready + queue.in_flight + queue.settling + queue.backfill > 0
    if (!document.hidden && (busy || problem)) RENEW.status()
    if (!document.hidden && (busy || watchers)) RENEW.stages()
  }, PULSE)
  const close = stream.open()
  return () => {
    clearInterval(pulse)
    close()
  }
}
