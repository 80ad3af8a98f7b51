/** The daemon's API: paths, parameters and answers are checked against its OpenAPI document. */

import type { paths } from './api'
import { at } from './base.ts'
import { asProblem, fromResponse } from './problem.ts'
import type { ChangeKind, Relation, RuleValues } from './types.ts'

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
type PathsOf<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never }[keyof paths]
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never
type Json<R> = R extends { content: { 'application/json': infer T } } ? T : never
type Answer<O> = O extends { responses: infer R } ? Json<R[keyof R & (200 | 201 | 202)]> : never
type Query<O> = O extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never
type PathValues<O> = O extends { parameters: { path: infer V } } ? V : never
type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } } ? B : never

interface Options<O> {
  /** Values of the placeholders in the path. */
  path?: PathValues<O>
  query?: Query<O>
  body?: Body<O>
  signal?: AbortSignal
}

type Values = Readonly<Record<string, unknown>>

/** A path with its placeholders filled and its query; empty query values are left out. */
export function address(template: string, values: Values = {}, query: Values = {}): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])))
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') search.set(key, String(value))
  }
  const text = search.toString()
  return text ? `${path}?${text}` : path
}

let onDenied = (): void => {}

/** What to do when the daemon asks for its token. */
export function whenDenied(act: () => void): void {
  onDenied = act
}

async function call<P extends keyof paths, M extends Method>(method: M, template: P, options: Options<Operation<P, M>>): Promise<Answer<Operation<P, M>>> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  const init: RequestInit = { method: method.toUpperCase(), headers, credentials: 'same-origin' }
  if (method !== 'get') {
    // Writes are JSON, also those without a body: a form of another site cannot send that.
    headers['Content-Type'] = 'application/json'
    init.body = JSON.stringify(options.body ?? {})
  }
  if (options.signal) init.signal = options.signal
  try {
    const response = await fetch(at(address(template, options.path as Values | undefined, options.query as Values | undefined)), init)
    if (!response.ok) throw await fromResponse(response)
    return (await response.json()) as Answer<Operation<P, M>>
  } catch (error) {
    const problem = asProblem(error)
    if (problem.status === 401 && template !== '/api/session') onDenied()
    throw problem
  }
}

type StageName = PathValues<Operation<'/api/pipeline/{stage}/pause', 'post'>>['stage']
export type ImageFilter = Omit<Query<Operation<'/api/images', 'get'>>, 'cursor' | 'limit'>

export type CutQuery = Omit<Query<Operation<'/api/groups/cuts', 'get'>>, 'cursor' | 'limit'>

type From<M extends Method, P extends PathsOf<M>> = Promise<Answer<Operation<P, M>>>

/** One function a call. Every failure is thrown as a Problem. */
export const api = {
  images: (query: ImageFilter & { cursor?: string | null; limit: number }): From<'get', '/api/images'> => call('get', '/api/images', { query }),
  outline: (query: ImageFilter): From<'get', '/api/images/timeline'> => call('get', '/api/images/timeline', { query }),
  bucket: (key: string, query: ImageFilter, signal: AbortSignal): From<'get', '/api/images/timeline/{key}'> =>
    call('get', '/api/images/timeline/{key}', { path: { key }, query, signal }),
  image: (id: string, signal?: AbortSignal): From<'get', '/api/images/metadata/{image_id}'> =>
    call('get', '/api/images/metadata/{image_id}', { path: { image_id: id }, ...(signal && { signal }) }),
  mark: (ids: readonly string[], change: Omit<Body<Operation<'/api/images', 'patch'>>, 'ids'>): From<'patch', '/api/images'> =>
    call('patch', '/api/images', { body: { ids: [...ids], ...change } }),
  discard: (ids: readonly string[]): From<'post', '/api/trash'> => call('post', '/api/trash', { body: { ids: [...ids] } }),
  restore: (ids: readonly string[]): From<'post', '/api/trash/restore'> => call('post', '/api/trash/restore', { body: { ids: [...ids] } }),
  rate: (id: string, rating: number | null): From<'patch', '/api/images/{image_id}'> =>
    call('patch', '/api/images/{image_id}', { path: { image_id: id }, body: { rating } }),
  similar: (like: string, limit: number, signal: AbortSignal): From<'get', '/api/search'> => call('get', '/api/search', { query: { like, limit }, signal }),
  why: (id: string, signal: AbortSignal): From<'get', '/api/why'> => call('get', '/api/why', { query: { id }, signal }),

  groups: (cursor: string | null, limit: number): From<'get', '/api/groups'> => call('get', '/api/groups', { query: { cursor, limit } }),
  group: (id: string): From<'get', '/api/groups/{group_id}'> => call('get', '/api/groups/{group_id}', { path: { group_id: id } }),
  nameGroup: (id: string, name: string | null): From<'patch', '/api/groups/{group_id}'> =>
    call('patch', '/api/groups/{group_id}', { path: { group_id: id }, body: { name } }),
  members: (group: string, change: Body<Operation<'/api/groups/{group_id}/members', 'post'>>): From<'post', '/api/groups/{group_id}/members'> =>
    call('post', '/api/groups/{group_id}/members', { path: { group_id: group }, body: change }),
  mergeGroups: (into: string, groups: readonly string[]): From<'post', '/api/groups/{group_id}/merge'> =>
    call('post', '/api/groups/{group_id}/merge', { path: { group_id: into }, body: { groups: [...groups] } }),
  foundGroup: (images: readonly string[]): From<'post', '/api/groups'> => call('post', '/api/groups', { body: { images: [...images] } }),
  splitGroup: (group: string, images: readonly string[] | null): From<'post', '/api/groups/{group_id}/split'> =>
    call('post', '/api/groups/{group_id}/split', { path: { group_id: group }, body: { images: images && [...images] } }),
  lockGroup: (group: string, locked: boolean): From<'put', '/api/groups/{group_id}/lock'> =>
    call('put', '/api/groups/{group_id}/lock', { path: { group_id: group }, body: { locked } }),
  relate: (ids: readonly string[], relation: Relation): From<'post', '/api/groups/relations'> =>
    call('post', '/api/groups/relations', { body: { images: [...ids], relation } }),
  release: (ids: readonly string[]): From<'post', '/api/groups/release'> => call('post', '/api/groups/release', { body: { images: [...ids] } }),
  edits: (cursor: string | null, limit: number): From<'get', '/api/groups/edits'> => call('get', '/api/groups/edits', { query: { cursor, limit } }),
  undoEdit: (edit: string): From<'post', '/api/groups/edits/{edit}/undo'> => call('post', '/api/groups/edits/{edit}/undo', { path: { edit } }),
  proposal: (start: number, limit: number, kind: ChangeKind | null = null): From<'get', '/api/groups/proposal'> =>
    call('get', '/api/groups/proposal', { query: { cursor: String(start), limit, kind } }),
  proposed: (change: string): From<'get', '/api/groups/proposal/{change}'> => call('get', '/api/groups/proposal/{change}', { path: { change } }),
  accept: (change: string, images: readonly string[] | null): From<'post', '/api/groups/proposal/{change}/accept'> =>
    call('post', '/api/groups/proposal/{change}/accept', { path: { change }, body: { images: images && [...images] } }),
  refuse: (change: string, images: readonly string[] | null): From<'post', '/api/groups/proposal/{change}/refuse'> =>
    call('post', '/api/groups/proposal/{change}/refuse', { path: { change }, body: { images: images && [...images] } }),
  acceptMany: (ids: readonly string[]): From<'post', '/api/groups/proposal/accept'> => call('post', '/api/groups/proposal/accept', { body: { ids: [...ids] } }),
  refuseMany: (ids: readonly string[]): From<'post', '/api/groups/proposal/refuse'> => call('post', '/api/groups/proposal/refuse', { body: { ids: [...ids] } }),
  levels: (): From<'get', '/api/groups/levels'> => call('get', '/api/groups/levels', {}),
  cuts: (cut: CutQuery, cursor: string | null, limit: number): From<'get', '/api/groups/cuts'> => call('get', '/api/groups/cuts', { query: { ...cut, cursor, limit } }),
  cutImages: (node: string, cut: CutQuery, cursor: string | null, limit: number): From<'get', '/api/groups/cuts/{node}/images'> =>
    call('get', '/api/groups/cuts/{node}/images', { path: { node }, query: { ...cut, cursor, limit } }),
  learning: (): From<'get', '/api/groups/learning'> => call('get', '/api/groups/learning', {}),
  useLearned: (use: boolean | null): From<'put', '/api/groups/learning'> => call('put', '/api/groups/learning', { body: { use } }),
  recluster: (): From<'post', '/api/groups/recluster'> => call('post', '/api/groups/recluster', {}),

  status: (): From<'get', '/api/status'> => call('get', '/api/status', {}),
  jobs: (): From<'get', '/api/jobs'> => call('get', '/api/jobs', {}),
  cancel: (id: string): From<'delete', '/api/jobs/{job_id}'> => call('delete', '/api/jobs/{job_id}', { path: { job_id: id } }),
  scan: (root: string): From<'post', '/api/roots/{root_id}/scan'> => call('post', '/api/roots/{root_id}/scan', { path: { root_id: root } }),
  confirmGone: (root: string): From<'post', '/api/roots/{root_id}/confirm-gone'> =>
    call('post', '/api/roots/{root_id}/confirm-gone', { path: { root_id: root } }),

  batches: (): From<'get', '/api/batches'> => call('get', '/api/batches', {}),
  batch: (batch: string): From<'get', '/api/batches/{batch}'> => call('get', '/api/batches/{batch}', { path: { batch } }),
  createBatch: (name: string, ids: readonly string[]): From<'post', '/api/batches'> => call('post', '/api/batches', { body: { name, ids: [...ids] } }),
  renameBatch: (batch: string, name: string): From<'put', '/api/batches/{batch}'> => call('put', '/api/batches/{batch}', { path: { batch }, body: { name } }),
  deleteBatch: (batch: string): From<'delete', '/api/batches/{batch}'> => call('delete', '/api/batches/{batch}', { path: { batch } }),
  restoreBatch: (batch: string): From<'post', '/api/batches/{batch}/restore'> => call('post', '/api/batches/{batch}/restore', { path: { batch } }),
  addToBatch: (batch: string, ids: readonly string[]): From<'post', '/api/batches/{batch}/images'> =>
    call('post', '/api/batches/{batch}/images', { path: { batch }, body: { ids: [...ids] } }),
  takeFromBatch: (batch: string, ids: readonly string[]): From<'delete', '/api/batches/{batch}/images'> =>
    call('delete', '/api/batches/{batch}/images', { path: { batch }, body: { ids: [...ids] } }),
  analyzeBatch: (batch: string, body: Body<Operation<'/api/batches/{batch}/analyze', 'put'>>): From<'put', '/api/batches/{batch}/analyze'> =>
    call('put', '/api/batches/{batch}/analyze', { path: { batch }, body }),
  groupBatch: (batch: string, labels: Readonly<Record<string, string | null>>): From<'put', '/api/batches/{batch}/groups'> =>
    call('put', '/api/batches/{batch}/groups', { path: { batch }, body: { labels } }),
  rankBatch: (batch: string, label: string, metric: string): From<'post', '/api/batches/{batch}/groups/{label}/rank'> =>
    call('post', '/api/batches/{batch}/groups/{label}/rank', { path: { batch, label }, query: { metric } }),
  rankGroup: (group: string, metric: string): From<'post', '/api/groups/{group_id}/rank'> =>
    call('post', '/api/groups/{group_id}/rank', { path: { group_id: group }, query: { metric } }),

  uploadLimits: (): From<'get', '/api/images/upload'> => call('get', '/api/images/upload', {}),
  trash: (cursor: string | null, limit: number): From<'get', '/api/trash'> => call('get', '/api/trash', { query: { cursor, limit } }),
  purge: (ids: readonly string[] | null): From<'post', '/api/trash/purge'> => call('post', '/api/trash/purge', { body: { ids: ids && [...ids] } }),

  quarantine: (cursor: string | null, limit: number): From<'get', '/api/quarantine'> => call('get', '/api/quarantine', { query: { cursor, limit } }),
  retry: (ids: readonly string[]): From<'post', '/api/quarantine/retry'> => call('post', '/api/quarantine/retry', { body: { ids: [...ids] } }),

  quality: (id: string, signal: AbortSignal): From<'get', '/api/images/quality/{image_id}'> =>
    call('get', '/api/images/quality/{image_id}', { path: { image_id: id }, signal }),
  score: (ids: readonly string[], metric: string | null = null, again = false): From<'post', '/api/images/quality/batch'> =>
    call('post', '/api/images/quality/batch', { body: { ids: [...ids], metric, again } }),

  overview: (): From<'get', '/api/overview'> => call('get', '/api/overview', {}),
  stages: (): From<'get', '/api/pipeline'> => call('get', '/api/pipeline', {}),
  pause: (stage: StageName): From<'post', '/api/pipeline/{stage}/pause'> => call('post', '/api/pipeline/{stage}/pause', { path: { stage } }),
  resume: (stage: StageName): From<'post', '/api/pipeline/{stage}/resume'> => call('post', '/api/pipeline/{stage}/resume', { path: { stage } }),
  settings: (): From<'get', '/api/settings'> => call('get', '/api/settings', {}),

  rules: (): From<'get', '/api/sort/rules'> => call('get', '/api/sort/rules', {}),
  saveRules: (items: readonly RuleValues[]): From<'put', '/api/sort/rules'> => call('put', '/api/sort/rules', { body: { items: [...items] } }),
  preview: (items: readonly RuleValues[], limit: number, signal: AbortSignal): From<'post', '/api/sort/preview'> =>
    call('post', '/api/sort/preview', { body: { items: [...items], limit }, signal }),
  replay: (items: readonly RuleValues[], since: string | null): From<'post', '/api/sort/replay'> =>
    call('post', '/api/sort/replay', { body: { items: [...items], since } }),
  replayed: (): From<'get', '/api/sort/replay'> => call('get', '/api/sort/replay', {}),
  plans: (cursor: string | null, limit: number): From<'get', '/api/plans'> => call('get', '/api/plans', { query: { cursor, limit } }),
  plan: (plan: string): From<'get', '/api/plans/{plan_id}'> => call('get', '/api/plans/{plan_id}', { path: { plan_id: plan }, query: { limit: 1 } }),
  planOutline: (plan: string): From<'get', '/api/plans/{plan_id}/outline'> => call('get', '/api/plans/{plan_id}/outline', { path: { plan_id: plan } }),
  planPart: (plan: string, start: number, limit: number): From<'get', '/api/plans/{plan_id}'> =>
    call('get', '/api/plans/{plan_id}', { path: { plan_id: plan }, query: { order: 'folder', cursor: String(start), limit } }),
  replan: (): From<'post', '/api/plans'> => call('post', '/api/plans', { body: { root: null } }),
  applyPlan: (plan: string, steps: readonly string[] | null): From<'post', '/api/plans/{plan_id}/apply'> =>
    call('post', '/api/plans/{plan_id}/apply', { path: { plan_id: plan }, body: { steps: steps && [...steps] } }),
  refusePlan: (plan: string, steps: readonly string[] | null): From<'post', '/api/plans/{plan_id}/refuse'> =>
    call('post', '/api/plans/{plan_id}/refuse', { path: { plan_id: plan }, body: { steps: steps && [...steps] } }),
  undoPlan: (plan: string, steps: readonly string[] | null): From<'post', '/api/plans/{plan_id}/undo'> =>
    call('post', '/api/plans/{plan_id}/undo', { path: { plan_id: plan }, body: { steps: steps && [...steps] } }),

  session: (): From<'get', '/api/session'> => call('get', '/api/session', {}),
  signOut: (): From<'delete', '/api/session'> => call('delete', '/api/session', {}),
  signIn: (token: string): From<'post', '/api/session'> => call('post', '/api/session', { body: { token } }),
}
