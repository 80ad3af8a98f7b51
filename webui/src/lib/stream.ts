/** The daemon's event stream over fetch, which can send `Last-Event-ID` and see a 401, unlike EventSource. */

import { fromResponse, type Problem } from './problem.ts'
import { backoff, EventParser, type ServerEvent } from './sse.ts'

export type Link = 'connecting' | 'live' | 'lost'

export interface Listener {
  event(event: ServerEvent): void
  link(link: Link): void
  /** The stream was refused; answering false ends it until `open` is called again. */
  refused(problem: Problem): boolean
}

/** A silent line is taken for dead after this; the server sends a comment far more often. */
const SILENCE = 60_000
/** A page nobody looks at lets its connection go after this. */
const HIDDEN = 60_000

/** Keep a stream open for as long as the page is looked at. */
export class Stream {
  readonly #url: string
  readonly #listener: Listener
  #abort: AbortController | null = null
  #last = ''
  #failures = 0
  #wake: ReturnType<typeof setTimeout> | undefined
  #hide: ReturnType<typeof setTimeout> | undefined

  constructor(url: string, listener: Listener) {
    this.#url = url
    this.#listener = listener
  }

  /** Connect, and follow the page's visibility. Returns the undoing. */
  open(): () => void {
    document.addEventListener('visibilitychange', this.#look)
    addEventListener('online', this.#now)
    this.#now()
    return () => {
      document.removeEventListener('visibilitychange', this.#look)
      removeEventListener('online', this.#now)
      clearTimeout(this.#hide)
      this.#stop()
    }
  }

  #look = (): void => {
    clearTimeout(this.#hide)
    if (document.hidden) this.#hide = setTimeout(() => this.#stop(), HIDDEN)
    else if (!this.#abort) this.#now()
  }

  #now = (): void => {
    this.#stop()
    this.#failures = 0
    void this.#run()
  }

  #stop(): void {
    clearTimeout(this.#wake)
    this.#abort?.abort()
    this.#abort = null
  }

  async #run(): Promise<void> {
    const abort = new AbortController()
    this.#abort = abort
    if (this.#failures === 0) this.#listener.link('connecting')
    let retry: number | null = null
    try {
      retry = await this.#read(abort)
    } catch {
      // Any way of losing the line is the same here: it is opened again below.
    }
    if (this.#abort !== abort) return
    this.#failures++
    this.#listener.link('lost')
    this.#wake = setTimeout(() => void this.#run(), retry ?? backoff(this.#failures, Math.random()))
  }

  async #read(abort: AbortController): Promise<number | null> {
    const headers: Record<string, string> = { Accept: 'text/event-stream' }
    if (this.#last) headers['Last-Event-ID'] = this.#last
    const response = await fetch(this.#url, { headers, signal: abort.signal, cache: 'no-store' })
    if (!response.ok || !response.body) {
      const again = this.#listener.refused(await fromResponse(response))
      if (!again && this.#abort === abort) this.#abort = null
      return null
    }
    this.#failures = 0
    this.#listener.link('live')
    const parser = new EventParser()
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let watch: ReturnType<typeof setTimeout> | undefined
    try {
      for (;;) {
        clearTimeout(watch)
        watch = setTimeout(() => void reader.cancel(), SILENCE)
        const { done, value } = await reader.read()
        if (done) return parser.retry
        for (const event of parser.push(value)) {
          if (event.id) this.#last = event.id
          this.#listener.event(event)
        }
      }
    } finally {
      clearTimeout(watch)
    }
  }
}
