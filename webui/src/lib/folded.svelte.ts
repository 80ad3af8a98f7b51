/** Sections that are shown as a heading only, remembered by the browser under a name. */

export class Folded {
  #keys: ReadonlySet<string>
  readonly #name: string

  constructor(name: string) {
    this.#name = name
    this.#keys = $state.raw(remembered(name))
  }

  get keys(): ReadonlySet<string> {
    return this.#keys
  }

  set(keys: Iterable<string>): void {
    this.#keys = new Set(keys)
    try {
      if (this.#keys.size) localStorage.setItem(this.#name, JSON.stringify([...this.#keys]))
      else localStorage.removeItem(this.#name)
    } catch {
      // Storage may be blocked; it is then kept as long as the page.
    }
  }

  toggle(key: string): void {
    const keys = new Set(this.#keys)
    if (!keys.delete(key)) keys.add(key)
    this.set(keys)
  }
}

function remembered(name: string): ReadonlySet<string> {
  try {
    const keys: unknown = JSON.parse(localStorage.getItem(name) ?? '[]')
    return new Set(Array.isArray(keys) ? keys.map(String) : [])
  } catch {
    return new Set() // nothing kept, or nothing of ours
  }
}
