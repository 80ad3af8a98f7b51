/** Light, dark, or as the system has it. */

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'pixsortd.theme'

let chosen = $state<Theme>((document.documentElement.dataset['theme'] as Theme | undefined) ?? 'system')

export const theme = {
  get chosen(): Theme {
    return chosen
  },
  choose(next: Theme): void {
    chosen = next
    if (next === 'system') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = next
    try {
      if (next === 'system') localStorage.removeItem(KEY)
      else localStorage.setItem(KEY, next)
    } catch {
      // Storage may be blocked; the choice then lasts as long as the page.
    }
  },
}
