/**
 * Answers /api in `npm run dev` with a made-up library.
 *
 * PIXSORTD_MOCK=full|empty|none chooses the scene, PIXSORTD_MOCK_PHOTOS a directory of JPEGs to show,
 * PIXSORTD_MOCK_SIZE how many photos there are, PIXSORTD_MOCK_TOKEN a token to ask for, and
 * PIXSORTD_MOCK_ARRIVE every how many seconds new ones come.
 */

import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Plugin } from 'vite'

import { MockStages, overview, quality, settings } from './figures.ts'
import type { PlanDetail, RuleValues } from '../src/lib/types.ts'
import { MockLibrary, page } from './library.ts'

type Handler = (request: { parts: string[]; query: URLSearchParams; body: Record<string, unknown> }) => unknown

const MISSING = Symbol('missing')

function routes(library: MockLibrary, stages: MockStages): [string, RegExp, Handler][] {
  const image = (act: (entry: NonNullable<ReturnType<MockLibrary['entry']>>, body: Record<string, unknown>) => unknown): Handler => ({ parts, query, body }) => {
    const entry = library.entry(parts[0] ?? query.get('like') ?? query.get('id') ?? '')
    return entry ? act(entry, body) : MISSING
  }
  const { curation, sorting } = library
  const plan = (act: (plan: PlanDetail, steps: string[] | null) => unknown): Handler => ({ parts, body }) => {
    const found = sorting.plan(parts[0]!)
    return found ? act(found, (body['steps'] ?? null) as string[] | null) : MISSING
  }
  const group = (act: (id: string, body: Record<string, unknown>) => unknown): Handler => ({ parts, body }) => (library.group(parts[0]!) ? act(parts[0]!, body) : MISSING)
  const held = (paused: boolean): Handler => ({ parts }) => {
    stages.hold(parts[0]!, paused)
    return { items: stages.list(), next_cursor: null, total: 4 }
  }
  return [
    ['GET', /^\/overview$/, () => overview(library.everything(), [...library.groups(new URLSearchParams({ limit: '999' })).items])],
    ['GET', /^\/pipeline$/, () => ({ items: stages.list(), next_cursor: null, total: 4 })],
    ['POST', /^\/pipeline\/(\w+)\/pause$/, held(true)],
    ['POST', /^\/pipeline\/(\w+)\/resume$/, held(false)],
    ['GET', /^\/settings$/, () => settings()],
    ['GET', /^\/images\/quality\/(\w+)$/, image((entry) => quality(library.detail(entry)))],
    ['POST', /^\/images\/quality\/batch$/, () => ({ items: [], job: library.recluster() })],
    ['GET', /^\/images$/, ({ query }) => library.images(query)],
    ['GET', /^\/images\/metadata\/(\w+)$/, image((entry) => library.detail(entry))],
    ['GET', /^\/images\/(?:thumbnail\/)?(\w{64})$/, image((entry) => entry.picture.read())],
    ['GET', /^\/images\/timeline$/, ({ query }) => library.outline(query)],
    ['GET', /^\/images\/timeline\/([\w-]+)$/, ({ parts, query }) => library.bucket(parts[0]!, query)],
    ['PATCH', /^\/images$/, ({ body: { ids, ...change } }) => library.mark(ids as string[], change)],
    ['PATCH', /^\/images\/(\w{64})$/, ({ parts, body }) => library.mark(parts, body).items[0] ?? MISSING],
    ['POST', /^\/trash$/, ({ body }) => library.discard(body['ids'] as string[])],
    ['POST', /^\/trash\/restore$/, ({ body }) => library.restore(body['ids'] as string[])],
    ['GET', /^\/search$/, image((entry) => library.similar(entry, 12))],
    ['GET', /^\/why$/, image((entry) => library.why(entry))],
    ['GET', /^\/groups$/, ({ query }) => library.groups(query)],
    ['POST', /^\/groups\/recluster$/, () => library.recluster()],
    ['GET', /^\/groups\/edits$/, ({ query }) => page(curation.edits(), query)],
    ['POST', /^\/groups\/edits\/(\w+)\/undo$/, ({ parts }) => curation.undo(parts[0]!) ?? MISSING],
    ['GET', /^\/groups\/proposal$/, () => curation.proposal()],
    ['GET', /^\/groups\/proposal\/(\w+)$/, ({ parts }) => curation.proposed(parts[0]!) ?? MISSING],
    ['POST', /^\/groups\/proposal\/(accept|refuse)$/, ({ parts, body }) => ({ items: (body['ids'] as string[]).map((id) => ({ id, edit: curation.settle(id, parts[0] === 'accept', null), reason: null })) })],
    ['POST', /^\/groups\/proposal\/(\w+)\/(accept|refuse)$/, ({ parts, body }) => curation.settle(parts[0]!, parts[1] === 'accept', body['images'] as string[] | null) ?? MISSING],
    ['GET', /^\/groups\/levels$/, () => curation.levels()],
    ['GET', /^\/groups\/cuts$/, ({ query }) => ({ ...curation.cuts(query), ...page(curation.cuts(query).items, query) })],
    ['GET', /^\/groups\/cuts\/(\w+)\/images$/, ({ parts, query }) => page(curation.cutImages(parts[0]!, query), query)],
    ['GET', /^\/groups\/learning$/, () => curation.learning()],
    ['PUT', /^\/groups\/learning$/, ({ body }) => curation.use(body['use'] as boolean | null)],
    ['POST', /^\/groups\/relations$/, ({ body }) => curation.relate(body['images'] as string[], String(body['relation']))],
    ['POST', /^\/groups\/release$/, ({ body }) => curation.release(body['images'] as string[])],
    ['GET', /^\/groups\/(\w+)$/, ({ parts }) => library.group(parts[0]!) ?? MISSING],
    ['PATCH', /^\/groups\/(\w+)$/, group((id, body) => curation.name(id, body['name'] as string | null))],
    ['POST', /^\/groups\/(\w+)\/members$/, group((id, body) => curation.members(id, body))],
    ['POST', /^\/groups\/(\w+)\/merge$/, group((id, body) => curation.merge(id, body['groups'] as string[]))],
    ['POST', /^\/groups\/(\w+)\/split$/, group((id, body) => curation.split(id, body['images'] as string[] | null) ?? MISSING)],
    ['PUT', /^\/groups\/(\w+)\/lock$/, group((id, body) => curation.lock(id, Boolean(body['locked'])))],
    ['GET', /^\/sort\/rules$/, () => sorting.rules()],
    ['PUT', /^\/sort\/rules$/, ({ body }) => sorting.write(body['items'] as RuleValues[])],
    ['POST', /^\/sort\/preview$/, ({ body }) => sorting.preview(body['items'] as RuleValues[])],
    ['POST', /^\/sort\/replay$/, () => sorting.replay()],
    ['GET', /^\/sort\/replay$/, () => sorting.trial()],
    ['GET', /^\/plans$/, ({ query }) => page(sorting.all(), query)],
    ['POST', /^\/plans$/, ({ query }) => page(sorting.all(), query)],
    ['GET', /^\/plans\/(\w+)\/outline$/, plan((found) => sorting.outline(found))],
    ['GET', /^\/plans\/(\w+)$/, ({ parts, query }) => (sorting.plan(parts[0]!) ? sorting.part(sorting.plan(parts[0]!)!, Number(query.get('cursor') ?? 0), Number(query.get('limit') ?? 100)) : MISSING)],
    ['POST', /^\/plans\/(\w+)\/apply$/, plan((found, steps) => sorting.apply(found, steps))],
    ['POST', /^\/plans\/(\w+)\/refuse$/, plan((found, steps) => sorting.refuse(found, steps))],
    ['POST', /^\/plans\/(\w+)\/undo$/, plan((found, steps) => sorting.undo(found, steps))],
    ['GET', /^\/status$/, () => ({ ...library.status(), stages: stages.list() })],
    ['GET', /^\/jobs$/, () => ({ items: library.jobs(), next_cursor: null, total: library.jobs().length })],
    ['DELETE', /^\/jobs\/(\w+)$/, ({ parts }) => library.cancel(parts[0]!) ?? MISSING],
    ['POST', /^\/roots\/(\w+)\/scan$/, ({ parts }) => library.scan(parts[0]!)],
    ['POST', /^\/roots\/(\w+)\/confirm-gone$/, ({ parts }) => ({ root: parts[0], files: library.confirmGone() })],
    ['GET', /^\/quarantine$/, ({ query }) => library.quarantine(query)],
    ['POST', /^\/quarantine\/retry$/, ({ body }) => library.retry(body['ids'] as string[])],
  ]
}

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const part of request) text += String(part)
  return text ? (JSON.parse(text) as Record<string, unknown>) : {}
}

function refuse(response: ServerResponse, status: number, title: string): void {
  response.writeHead(status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify({ type: 'about:blank', title, status, detail: title }))
}

function stream(library: MockLibrary, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  response.write('retry: 2000\n\n')
  let id = Date.now()
  const stop = library.listen((event, data) => response.write(`id: ${id++}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
  const beat = setInterval(() => response.write(': still here\n\n'), 15_000)
  request.on('close', () => {
    clearInterval(beat)
    stop()
  })
}

/** The policy that the daemon sends; the built page must live with it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

function answering(): (request: IncomingMessage, response: ServerResponse) => void {
  const env = process.env
  const library = new MockLibrary(env['PIXSORTD_MOCK'] ?? 'full', env['PIXSORTD_MOCK_PHOTOS'], Number(env['PIXSORTD_MOCK_SIZE'] ?? 2400))
  const token = env['PIXSORTD_MOCK_TOKEN'] ?? ''
  const table = routes(library, new MockStages((env['PIXSORTD_MOCK'] ?? 'full') === 'full'))
  const every = Number(env['PIXSORTD_MOCK_ARRIVE'] ?? 0)
  if (every) setInterval(() => library.arrive(3), every * 1000).unref()

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://mock')
    const body = await read(request)
    if (url.pathname === '/session' && request.method !== 'POST') {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ required: token !== '', active: true }))
      return
    }
    if (url.pathname === '/session') {
      if (body['token'] !== token) return refuse(response, 401, 'Wrong token')
      response.writeHead(200, { 'Content-Type': 'application/json', 'Set-Cookie': 'mock=1; SameSite=Strict; Path=/' }).end('{"required":true,"active":true}')
      return
    }
    if (token && !request.headers.cookie?.includes('mock=1')) return refuse(response, 401, 'This address needs the token')
    if (url.pathname === '/events') return stream(library, request, response)
    for (const [method, pattern, handler] of table) {
      const match = method === request.method ? pattern.exec(url.pathname) : null
      if (!match) continue
      const result = handler({ parts: match.slice(1), query: url.searchParams, body })
      if (result === MISSING) break
      const picture = result as { body?: Buffer; type?: string }
      if (Buffer.isBuffer(picture.body)) response.writeHead(200, { 'Content-Type': picture.type!, 'Cache-Control': 'max-age=3600' }).end(picture.body)
      else response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(result))
      return
    }
    refuse(response, 404, 'Not found')
  }

  return (request, response) => void answer(request, response)
}

function describe(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(readFileSync(new URL('../openapi.json', import.meta.url)))
}

export function mock(): Plugin {
  return {
    name: 'pixsortd-mock',
    configureServer(server) {
      server.middlewares.use('/schema', describe)
      server.middlewares.use('/api', answering())
    },
    configurePreviewServer(server) {
      server.middlewares.use((_request, response, next) => {
        response.setHeader('Content-Security-Policy', POLICY)
        next()
      })
      server.middlewares.use('/schema', describe)
      server.middlewares.use('/api', answering())
    },
  }
}
