/** Where the page lives: at the root of its host, or below a path that a reverse proxy passes on. */

/** The path before everything, `''` or like `'/photos'`; the daemon writes it into the page it serves. */
export const base = (globalThis.document?.querySelector<HTMLMetaElement>('meta[name="pixsortd-base"]')?.content ?? '/').replace(/\/+$/, '')

/** The address of a path of this daemon. Every `href`, `src`, `fetch` and `go` with a literal path needs it. */
export function at(path: string): string {
  return base + path
}

/** The path of this daemon behind an address, without a slash at its end. */
export function within(pathname: string): string {
  const path = pathname === base || pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname
  return path.replace(/\/+$/, '') || '/'
}
