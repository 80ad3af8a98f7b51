/** One upload request. `fetch` does not tell how much has gone, so this is the older way. */

import { fromResponse, Problem, unreachable } from './problem.ts'
import type { Upload } from './types.ts'

export interface Answered {
  /** What became of the first files; of all when there is no problem. */
  readonly items: readonly Upload[]
  readonly problem: Problem | null
}

/** Send a form. Rejects with a Problem when no answer came, and with the signal's reason when it is called off. */
export function post(url: string, form: FormData, signal: AbortSignal, progress: (loaded: number, total: number) => void): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    signal.addEventListener('abort', () => request.abort())
    request.open('POST', url)
    request.setRequestHeader('Accept', 'application/json')
    request.upload.onprogress = (event) => progress(event.loaded, event.total)
    request.onabort = () => reject(signal.reason as Error)
    request.onerror = () => reject(unreachable())
    request.onload = () => {
      const response = new Response(request.responseText, { status: request.status, statusText: request.statusText })
      const wait = request.getResponseHeader('Retry-After')
      if (wait) response.headers.set('Retry-After', wait)
      read(response).then(resolve, reject)
    }
    request.send(form)
  })
}

/** The answer to an upload, be it a list, a problem, or both. Rejects with a Problem when it is none of them. */
export async function read(response: Response): Promise<Answered> {
  const problem = response.ok ? null : await fromResponse(response.clone())
  try {
    const { items } = (await response.json()) as { items?: readonly Upload[] }
    if (items) return { items, problem }
  } catch {
    // Something in between has answered.
  }
  if (problem) return { items: [], problem }
  throw new Problem(response.status, 'The answer cannot be read', 'Something between this page and the daemon has answered.')
}
