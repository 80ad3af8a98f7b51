/** Server-sent events out of arbitrary text chunks, as the HTML standard has them. Pure but for its buffer. */

export interface ServerEvent {
  readonly id: string
  readonly event: string
  readonly data: string
}

/** Feed it decoded chunks as they come; it returns the events that are complete. */
export class EventParser {
  /** Wait in milliseconds that the server asked for with `retry:`, or null. */
  retry: number | null = null
  #rest = ''
  #skipFeed = false
  #id = ''
  #event = ''
  #data: string[] = []

  push(chunk: string): ServerEvent[] {
    const events: ServerEvent[] = []
    let text = this.#rest + chunk
    // A CR at the very end of the last chunk was taken as a line end; its LF must not make another.
    if (this.#skipFeed && text.startsWith('\n')) text = text.slice(1)
    if (text) this.#skipFeed = false
    let start = 0
    for (let at = 0; at < text.length; at++) {
      const sign = text[at]
      if (sign !== '\n' && sign !== '\r') continue
      const event = this.#line(text.slice(start, at))
      if (event) events.push(event)
      if (sign === '\r') {
        if (at + 1 === text.length) this.#skipFeed = true
        else if (text[at + 1] === '\n') at++
      }
      start = at + 1
    }
    this.#rest = text.slice(start)
    return events
  }

  #line(line: string): ServerEvent | null {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return null // a comment, sent to keep the connection alive
    const field = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#event = value
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value)
    return null
  }

  #dispatch(): ServerEvent | null {
    const event = this.#data.length ? { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') } : null
    this.#event = ''
    this.#data = []
    return event
  }
}

/** Milliseconds to wait before attempt number `failures` (1, 2, ...) to reconnect: doubling, capped, with jitter in [0, 1). */
export function backoff(failures: number, jitter: number): number {
  const base = Math.min(30_000, 500 * 2 ** Math.max(0, failures - 1))
  return base * (0.75 + 0.5 * jitter)
}
