/** What is being uploaded: a queue that goes on while one looks around, and can be paused, called off and repeated. */

import { at } from './base.ts'
import { api } from './client.ts'
import type { Found } from './entries.ts'
import { live } from './live.svelte.ts'
import { PARCEL, parcel, refusal, spread } from './parcels.ts'
import { Problem, unreachable } from './problem.ts'
import { post } from './sending.ts'
import { complain } from './toasts.svelte.ts'
import type { Reason, Upload, UploadLimits } from './types.ts'

/** Requests at the same time: while one is written to disk, the next is on its way. */
const ABREAST = 2
/** The list on screen follows at most this often, in milliseconds. */
const BEAT = 120
/** Seconds until a broken line is tried again, the first time and at most. */
const AGAIN = 2
const LATEST = 30

export type Fate = 'waiting' | 'sending' | 'stored' | 'duplicate' | 'refused'

export interface Item {
  readonly id: number
  readonly path: string
  readonly size: number
  /** The batch it goes into, if any. */
  readonly batch: string | null
  /** Let go of once it is through. */
  file: File | null
  fate: Fate
  /** Bytes that have gone. */
  sent: number
  /** All of it has gone, but no answer came yet. */
  whole: boolean
  /** That was so before it was sent again; a twin that is found is itself. */
  repeated: boolean
  reason: Pick<Reason, 'message' | 'next_step'> | null
  /** The photo that it is, or whose twin it is. */
  photo: string | null
}

export interface Tally {
  readonly count: Readonly<Record<Fate, number>>
  readonly bytes: number
  readonly sent: number
}

function tallied(items: readonly Item[]): Tally {
  const count: Record<Fate, number> = { waiting: 0, sending: 0, stored: 0, duplicate: 0, refused: 0 }
  let bytes = 0
  let sent = 0
  for (const item of items) {
    count[item.fate]++
    if (item.fate === 'refused' && item.file === null) continue
    bytes += item.size
    sent += item.fate === 'stored' || item.fate === 'duplicate' ? item.size : item.sent
  }
  return { count, bytes, sent }
}

let items: Item[] = []
let shown = $state.raw<readonly Item[]>([])
let tally = $state.raw<Tally>(tallied([]))
let paused = $state(false)
let stalled = $state.raw<Problem | null>(null)
let gathering = $state(0)
let asking = $state.raw<{ batch: string | null } | null>(null)
let limits = $state.raw<UploadLimits | null>(null)
let pace = $state(0)

let nextId = 1
let beat: ReturnType<typeof setTimeout> | undefined
let retry: ReturnType<typeof setTimeout> | undefined
let wait = AGAIN
let measured = { at: 0, sent: 0 }
/** Requests on their way, with what they carry. */
const flights = new Map<AbortController, readonly Item[]>()

function show(): void {
  beat ??= setTimeout(() => {
    beat = undefined
    shown = items.slice()
    tally = tallied(items)
    measure()
  }, BEAT)
}

/** The pace of the last seconds, in bytes a second. */
function measure(): void {
  const now = performance.now()
  if (!flights.size) {
    measured = { at: 0, sent: 0 }
    pace = 0
  } else if (!measured.at) measured = { at: now, sent: tally.sent }
  else if (now - measured.at > 1000) {
    const fresh = Math.max(0, tally.sent - measured.sent) / ((now - measured.at) / 1000)
    pace = pace ? pace * 0.6 + fresh * 0.4 : fresh
    measured = { at: now, sent: tally.sent }
  }
}

export const uploads = {
  /** All files, in the order in which they came. */
  get items(): readonly Item[] {
    return shown
  },
  get tally(): Tally {
    return tally
  },
  get paused(): boolean {
    return paused
  },
  /** Why nothing goes on, though nobody paused it. */
  get stalled(): Problem | null {
    return stalled
  },
  /** Folders are still being read. */
  get gathering(): boolean {
    return gathering > 0
  },
  /** Something is left to send. */
  get active(): boolean {
    return tally.count.waiting + tally.count.sending > 0 || gathering > 0
  },
  /** Bytes a second. */
  get pace(): number {
    return pace
  },
  /** What an upload may be, once that was asked. */
  get limits(): UploadLimits | null {
    return limits
  },
  /** The dialog that takes files is open, for a batch or for the library. */
  get asking(): { batch: string | null } | null {
    return asking
  },

  /** Open the dialog that takes files. */
  ask(batch: string | null): void {
    asking = { batch }
    void learn().catch((error: unknown) => complain('What can be uploaded is not known', error))
  },
  closeDialog(): void {
    asking = null
  },

  /** Take files in and begin to send them. */
  async add(found: Iterable<Found> | AsyncIterable<Found>, batch: string | null): Promise<void> {
    gathering++
    show()
    try {
      const rules = await learn()
      if (rules.inbox === null) {
        asking = { batch }
        return
      }
      asking = null
      for await (const { file, path } of found) {
        const reason = refusal(path, file.size, rules)
        items.push({ id: nextId++, path, size: file.size, batch, file: reason ? null : file, fate: reason ? 'refused' : 'waiting', sent: 0, whole: false, repeated: false, reason, photo: null })
        show()
        pump()
      }
    } catch (error) {
      complain('Not everything could be read', error instanceof DOMException ? new Problem(0, 'Not readable', error.message) : error)
    } finally {
      gathering--
      show()
    }
  },

  pause(): void {
    paused = true
    halt()
  },
  /** Go on after a pause, or before a broken line is tried again by itself. */
  resume(): void {
    paused = false
    stalled = null
    clearTimeout(retry)
    pump()
    show()
  },
  /** Leave out what has not gone yet. */
  cancel(): void {
    halt()
    items = items.filter(({ fate }) => fate !== 'waiting')
    paused = false
    stalled = null
    clearTimeout(retry)
    show()
  },
  /** Send again what did not get through. */
  again(): void {
    for (const item of items) {
      if (item.file && item.fate === 'refused') queue(item)
    }
    this.resume()
  },
  /** Clear the list of what is through. */
  clear(): void {
    items = items.filter(({ fate }) => fate === 'waiting' || fate === 'sending')
    show()
  },
}

async function learn(): Promise<UploadLimits> {
  limits = await api.uploadLimits()
  return limits
}

/** What is on its way comes back into the queue, at once. */
function halt(): void {
  for (const [flight, some] of flights) {
    flights.delete(flight)
    flight.abort()
    some.forEach(queue)
  }
  show()
}

function pump(): void {
  while (!paused && !stalled && flights.size < ABREAST) {
    const first = items.find(({ fate }) => fate === 'waiting')
    if (!first) return
    const waiting = items.filter(({ fate, batch }) => fate === 'waiting' && batch === first.batch)
    const most = { ...PARCEL, files: Math.min(PARCEL.files, limits?.max_files ?? 1) }
    const some = waiting.slice(0, parcel(waiting.map(({ size }) => size), most))
    for (const item of some) item.fate = 'sending'
    void send(some)
  }
}

async function send(some: readonly Item[]): Promise<void> {
  const flight = new AbortController()
  flights.set(flight, some)
  const form = new FormData()
  for (const { file, path } of some) form.append('files', file!, path)
  const sizes = some.map(({ size }) => size)
  const to = some[0]!.batch === null ? '/api/images/upload' : `/api/batches/${some[0]!.batch}/upload-and-add`
  try {
    const answer = await post(at(`${to}?files=${some.length}`), form, flight.signal, (loaded, total) => {
      spread(sizes, loaded, total).forEach((sent, place) => (some[place]!.sent = sent))
      if (loaded >= total) for (const item of some) item.whole = true
      show()
    })
    wait = AGAIN
    answer.items.forEach((one, place) => some[place] && settle(some[place], one))
    if (answer.problem) refuse(some.slice(answer.items.length), answer.problem)
    else if (answer.items.length < some.length) throw new Problem(0, 'An answer is missing', 'The daemon did not tell what became of every file.')
  } catch (error) {
    if (flight.signal.aborted) return
    for (const item of some) if (item.fate === 'sending') queue(item)
    stall(error instanceof Problem ? error : unreachable())
  } finally {
    flights.delete(flight)
    show()
    pump()
  }
}

/** Send it once more. */
function queue(item: Item): void {
  Object.assign(item, { fate: 'waiting', sent: 0, reason: null, whole: false, repeated: item.repeated || item.whole })
}

function settle(item: Item, answer: Upload): void {
  item.photo = answer.id ?? answer.duplicate_of
  item.sent = item.size
  item.reason = answer.reason
  item.fate = answer.status === 'duplicate' && item.repeated ? 'stored' : answer.status
  if (item.fate !== 'refused') item.file = null
}

/** The request was turned away as a whole, or from some file on. */
function refuse(rest: readonly Item[], problem: Problem): void {
  const [first, ...others] = rest
  if (problem.status === 413 && first) {
    // The one that ended it; those after it were not looked at.
    Object.assign(first, { fate: 'refused', reason: { message: problem.message, next_step: problem.nextStep } })
    others.forEach(queue)
    return
  }
  rest.forEach(queue)
  if (problem.status === 401) live.deny()
  stall(problem)
}

/** Nothing goes on for a while; what may pass is tried again by itself. */
function stall(problem: Problem): void {
  stalled = problem
  clearTimeout(retry)
  const passing = problem.status === 0 || problem.status === 408 || problem.status === 429 || problem.status >= 500
  if (!passing) return
  retry = setTimeout(() => uploads.resume(), 1000 * Math.max(problem.wait, wait))
  wait = Math.min(LATEST, wait * 2)
}
