/** Short messages at the edge of the page. */

import { asProblem } from './problem.ts'

export interface Toast {
  readonly id: number
  readonly tone: 'plain' | 'bad'
  readonly text: string
  readonly detail: string
  readonly action: { label: string; run: () => void } | null
}

let next = 1
let shown = $state.raw<readonly Toast[]>([])

export const toasts = {
  get all(): readonly Toast[] {
    return shown
  },
}

export function dismiss(id: number): void {
  shown = shown.filter((toast) => toast.id !== id)
}

/** Undo what was said last to be undoable. */
export function undoLast(): void {
  const toast = shown.findLast((one) => one.action)
  if (!toast) return
  dismiss(toast.id)
  toast.action!.run()
}

/** Say something; it goes by itself after `seconds`, errors after longer. */
export function say(text: string, more: { tone?: Toast['tone']; detail?: string; action?: Toast['action']; seconds?: number } = {}): void {
  const toast: Toast = { id: next++, tone: more.tone ?? 'plain', text, detail: more.detail ?? '', action: more.action ?? null }
  shown = [...shown.slice(-3), toast]
  setTimeout(() => dismiss(toast.id), 1000 * (more.seconds ?? (toast.tone === 'bad' ? 10 : 5)))
}

/** Tell what an action failed with, and what to do about it. */
export function complain(what: string, error: unknown): void {
  const problem = asProblem(error)
  if (problem.status === 401) return // the sign-in dialog says it
  say(what, { tone: 'bad', detail: [problem.message, problem.nextStep].filter(Boolean).join(' ') })
}
