/** The rooms of the page as data: where each is, what it is called, and how to get there. */

import type { Component } from 'svelte'

import type { IconName } from './parts/Icon.svelte'

export interface Room {
  /** Path without the base path; what follows it in an address goes to `part`. */
  readonly path: string
  readonly name: string
  readonly icon: IconName
  /** Second key after `g`. */
  readonly key: string
  /** Path of the room among whose tabs it stands, rather than in the rail. */
  readonly under?: string
  /** What its tab is called, where that is not its name. */
  readonly tab?: string
  /** Whether it has a place in the bar at the foot of a narrow window; the others are behind "More". */
  readonly first: boolean
  readonly page: () => Promise<{ default: Component }>
  /** Shows one thing of the room, by its id in the address. */
  readonly part?: () => Promise<{ default: Component<{ id: string }> }>
}

export const ROOMS: readonly Room[] = [
  { path: '/', name: 'Library', icon: 'library', key: 'l', first: true, page: () => import('./pages/Library.svelte') },
  {
    path: '/groups', name: 'Groups', icon: 'groups', key: 'g', first: true, tab: 'All groups',
    page: () => import('./pages/Groups.svelte'), part: () => import('./pages/Group.svelte'),
  },
  { path: '/groups/proposal', name: 'Proposed changes', icon: 'check', key: 'c', first: false, under: '/groups', page: () => import('./pages/Review.svelte') },
  { path: '/groups/edits', name: 'Your edits', icon: 'undo', key: 'e', first: false, under: '/groups', page: () => import('./pages/Edits.svelte') },
  {
    path: '/batches', name: 'Batches', icon: 'batches', key: 'b', first: true,
    page: () => import('./pages/Batches.svelte'), part: () => import('./pages/Batch.svelte'),
  },
  { path: '/inbox', name: 'Inbox', icon: 'inbox', key: 'i', first: true, tab: 'Waiting', page: () => import('./pages/Inbox.svelte') },
  { path: '/inbox/rules', name: 'Sorting rules', icon: 'sliders', key: 'r', first: false, under: '/inbox', tab: 'Rules', page: () => import('./pages/Rules.svelte') },
  {
    path: '/inbox/history', name: 'Sorted', icon: 'clock', key: 'h', first: false, under: '/inbox', tab: 'History',
    page: () => import('./pages/Sorted.svelte'), part: () => import('./pages/SortedPlan.svelte'),
  },
  { path: '/overview', name: 'Overview', icon: 'chart', key: 'o', first: false, page: () => import('./pages/Overview.svelte') },
  { path: '/pipeline', name: 'Pipeline', icon: 'pipeline', key: 'p', first: true, tab: 'Stages', page: () => import('./pages/Pipeline.svelte') },
  { path: '/roots', name: 'Folders', icon: 'folder', key: 'f', first: false, under: '/pipeline', page: () => import('./pages/Roots.svelte') },
  { path: '/jobs', name: 'Jobs', icon: 'clock', key: 'j', first: false, under: '/pipeline', page: () => import('./pages/Jobs.svelte') },
  { path: '/quarantine', name: 'Quarantine', icon: 'quarantine', key: 'q', first: false, under: '/pipeline', page: () => import('./pages/Quarantine.svelte') },
  { path: '/trash', name: 'Trash', icon: 'trash', key: 't', first: false, page: () => import('./pages/Trash.svelte') },
  { path: '/settings', name: 'Settings', icon: 'settings', key: 's', first: false, page: () => import('./pages/Settings.svelte') },
]

/** The room at a path, and the id of the thing in it; null where there is nothing. */
export function roomAt(path: string): { room: Room; id: string | null } | null {
  const room = ROOMS.find((one) => one.path === path)
  if (room) return { room, id: null }
  const cut = path.lastIndexOf('/')
  const parent = ROOMS.find((one) => one.part && one.path === path.slice(0, cut))
  return parent && cut + 1 < path.length ? { room: parent, id: decodeURIComponent(path.slice(cut + 1)) } : null
}
