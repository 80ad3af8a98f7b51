/** The page's place, held in the URL: a path for the view and a query for what is open in it. */

import { at, within } from './base.ts'

export interface Place {
  /** Without the base path. */
  readonly path: string
  readonly query: URLSearchParams
}

/** What one history entry remembers beside its URL. */
export interface Memory {
  /** The drawer was opened from within the page, so closing it may go back. */
  opened?: boolean
  /** Distance in pixels of the photo that the address names as the place in the list from the top of the view. */
  offset?: number
}

function read(): Place {
  const { pathname, search } = globalThis.location ?? { pathname: '/', search: '' } // none while a test reads this
  return { path: within(pathname), query: new URLSearchParams(search) }
}

let current = $state.raw<Place>(read())

export const place = {
  get path(): string {
    return current.path
  },
  get query(): URLSearchParams {
    return current.query
  },
}

export function memory(): Memory {
  return (history.state as Memory | null) ?? {}
}

/** Write something down in the address and the memory of the present history entry, where nothing else is shown for it. */
export function note(values: Record<string, string | null>, part: Memory): void {
  history.replaceState({ ...memory(), ...part }, '', withQuery(values))
  current = read()
}

/** Show another address of the page; a literal path goes through `at`. */
export function go(url: string, how: { replace?: boolean; memory?: Memory } = {}): void {
  if (how.replace) history.replaceState(how.memory ?? memory(), '', url)
  else history.pushState(how.memory ?? {}, '', url)
  current = read()
}

/** The present address with some query values set (or, with null, taken out). */
export function withQuery(values: Record<string, string | null>): string {
  const query = new URLSearchParams(current.query)
  for (const [key, value] of Object.entries(values)) {
    if (value === null || value === '') query.delete(key)
    else query.set(key, value)
  }
  const text = query.toString()
  return at(text ? `${current.path}?${text}` : current.path)
}

/** Open a photo beside what is shown; walking on to the next one does not pile up history. */
export function openPhoto(id: string): void {
  if (current.query.get('photo') === id) return
  const replace = current.query.has('photo')
  const kept = memory()
  go(withQuery({ photo: id }), replace ? { replace } : { memory: { ...kept, opened: true } })
}

export function closePhoto(): void {
  if (!current.query.has('photo')) return
  if (memory().opened) history.back()
  else go(withQuery({ photo: null }), { replace: true })
}

/** Follow the browser's buttons and plain clicks on links of this page. Returns the undoing. */
export function follow(): () => void {
  const back = (): void => {
    current = read()
  }
  const click = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = (event.target as Element | null)?.closest?.('a')
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
    if (/^\/(api|docs|schema|metrics)(\/|$)/.test(within(link.pathname))) return
    event.preventDefault()
    if (link.href !== location.href) go(link.pathname + link.search)
  }
  addEventListener('popstate', back)
  document.addEventListener('click', click)
  return () => {
    removeEventListener('popstate', back)
    document.removeEventListener('click', click)
  }
}
