/** What can go wrong between the page and the daemon, told as the daemon tells it (RFC 9457). */

export class Problem extends Error {
  /** HTTP status; 0 when no answer came at all. */
  readonly status: number
  readonly title: string
  /** Stable word of the error, e.g. `not-found`; empty when the answer had none. */
  readonly code: string
  readonly nextStep: string
  /** Seconds to wait before it makes sense to ask again; 0 when nothing was said. */
  readonly wait: number
  /** Whatever else the answer told, by its key. */
  readonly more: Readonly<Record<string, unknown>>

  constructor(status: number, title: string, detail: string, code = '', nextStep = '', wait = 0, more: Readonly<Record<string, unknown>> = {}) {
    super(detail || title)
    this.name = 'Problem'
    this.status = status
    this.title = title
    this.code = code
    this.nextStep = nextStep
    this.wait = wait
    this.more = more
  }
}

/** The daemon did not answer: it is stopped, restarting, or the network is down. */
export function unreachable(): Problem {
  return new Problem(0, 'No answer from pixsortd', 'The daemon does not answer.', 'unreachable', 'It is tried again by itself; `pixsortd status` tells more.')
}

/** Read a failed answer, whether it is problem+json or something a proxy made up. */
export async function fromResponse(response: Response): Promise<Problem> {
  const fallback = response.statusText || `HTTP ${response.status}`
  let body: unknown = null
  try {
    body = await response.json()
  } catch {
    // Not JSON; the status has to do.
  }
  const wait = Math.max(0, Number(response.headers.get('Retry-After')) || 0)
  if (body === null || typeof body !== 'object') return new Problem(response.status, fallback, '', '', '', wait)
  const text = (key: string): string => {
    const value = (body as Record<string, unknown>)[key]
    return typeof value === 'string' ? value : ''
  }
  const type = text('type')
  const code = text('code') || (type === 'about:blank' ? '' : (type.split(/[/:#]/).at(-1) ?? ''))
  return new Problem(response.status, text('title') || fallback, text('detail'), code, text('next_step'), wait, body as Record<string, unknown>)
}

/** Anything thrown, as a Problem. An aborted request stays what it is and is thrown on. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof DOMException && error.name === 'AbortError') throw error
  if (error instanceof TypeError) return unreachable()
  return new Problem(0, 'The page failed', String(error))
}
