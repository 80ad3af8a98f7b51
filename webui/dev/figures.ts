/** Figures, stages and settings of the made-up library. */

import type { ComparedScore, ImageDetail, Overview, Quality, Setting, SettingPage, Stage } from '../src/lib/types.ts'

const DAY = 86_400

/** What a library of these photos would count. */
export function overview(photos: readonly ImageDetail[], groups: readonly { size: number }[]): Overview {
  const now = Date.now() / 1000
  const tally = (names: (string | null)[]): { name: string; count: number; bytes: number }[] => {
    const counts = new Map<string, number>()
    for (const name of names) if (name) counts.set(name, (counts.get(name) ?? 0) + 1)
    return [...counts].map(([name, count]) => ({ name, count, bytes: count * 4e6 })).sort((a, b) => b.count - a.count)
  }
  const months = tally(photos.map(({ taken }) => taken?.slice(0, 7) ?? null)).map(({ name, count }) => ({ month: name, count }))
  const ranges: Readonly<Record<string, [number, number]>> = { brisque: [0, 100], niqe: [0, 10], piqe: [0, 100] }
  const sizes = [[5, 5], [6, 10], [11, 20], [21, 50], [51, 100]] as const
  return {
    at: now - 40, photos: photos.length, bytes: photos.reduce((sum, { size }) => sum + (size ?? 0), 0),
    months: months.sort((a, b) => a.month.localeCompare(b.month)),
    formats: tally(photos.map(({ format }) => format)),
    cameras: tally(photos.map(({ exif }, at) => (at % 3 ? `${exif?.camera_make} ${exif?.camera_model}` : at % 2 ? 'Google Pixel 8 Pro' : 'NIKON D90'))),
    quality: Object.entries(ranges).map(([metric, [low, high]]) => {
      const values = photos.map(({ scores }) => scores[metric]!).sort((a, b) => a - b)
      const counts = Array.from({ length: 24 }, () => 0)
      for (const value of values) counts[Math.min(23, Math.floor(((value - low) / (high - low)) * 24))]!++
      return { metric, lower_better: true, low, high, count: values.length, median: values[values.length >> 1] ?? 0, edges: Array.from({ length: 25 }, (_, at) => low + (at * (high - low)) / 24), counts: photos.length ? counts : [] }
    }),
    group_sizes: groups.length ? sizes.map(([least, most]) => ({ least, most, count: groups.filter(({ size }) => size >= least && size <= most).length })) : [],
    ratings: Object.fromEntries(tally(photos.map(({ rating }) => (rating === null ? null : String(rating)))).map(({ name, count }) => [name, count])),
    labels: Object.fromEntries(tally(photos.map(({ label }) => label)).map(({ name, count }) => [name, count])),
    throughput: photos.length ? Array.from({ length: 300 }, (_, at) => ({ at: Math.floor((now - DAY + at * 120 + 40_000) / 60) * 60, count: Math.round(600 + 500 * Math.sin(at / 25)) })) : [],
  }
}

export function quality(photo: ImageDetail): Quality {
  const items = photo.quality.map((score): ComparedScore => ({
    ...score, percentile: 100 - score.value * (score.high === 10 ? 10 : 1), group_percentile: photo.group ? Math.min(100, 110 - score.value) : null,
  }))
  const parts = items.map(({ metric, percentile }) => ({ metric, percentile, weight: 1 / items.length }))
  return {
    id: photo.id, items, composite: parts.length ? { value: parts.reduce((sum, part) => sum + part.percentile * part.weight, 0), parts } : null,
    missing: [{ metric: 'musiq', reason: { code: 'weights-missing', message: 'The weights of musiq are not on this machine', next_step: 'Run: pixsortd models pull musiq' } }, { metric: 'liqe', reason: null }], job: null,
  }
}

export class MockStages {
  readonly #paused = new Set<string>()
  readonly #full: boolean

  constructor(full: boolean) {
    this.#full = full
  }

  hold(name: string, paused: boolean): void {
    if (paused) this.#paused.add(name)
    else this.#paused.delete(name)
  }

  list(): Stage[] {
    const wave = (scale: number): number => (this.#full ? scale * (1 + 0.3 * Math.sin(Date.now() / 9000) + 0.1 * Math.sin(Date.now() / 1300)) : 0)
    const stage = (name: Stage['name'], depth: number, rate: number, more: Partial<Stage> = {}): Stage => {
      const paused = this.#paused.has(name)
      return { name, depth: this.#full ? depth : 0, rate: paused ? 0 : rate, bytes: 0, eta: this.#full && !paused && rate ? depth / rate : null, growing: false, away: 0, paused, can_pause: true, error: null, error_at: null, ...more }
    }
    const error = { code: 'decode-failed', message: 'IMG_2231.tiff: the image data end too early', next_step: 'It is in quarantine.' }
    return [
      stage('settle', 14, wave(3), { can_pause: false }),
      stage('analyze', 412, wave(18), this.#full ? { bytes: 412 * 4.1e6, error, error_at: Date.now() / 1000 - 700 } : {}),
      stage('score', 120, wave(4)),
      stage('group', 2400, 0),
    ]
  }
}

export function settings(): SettingPage {
  const file = '/home/ada/.config/pixsortd/pixsortd.toml'
  const one = (key: string, value: string, origin: string, about: string, more: Partial<Setting> = {}): Setting => ({ key, value, origin, live: !key.startsWith('api'), waits: false, about, ...more })
  const items = [
    one('state_dir', '""', 'default', 'Where the index and your decisions live; empty: the usual place.', { live: false }),
    one('roots', '[{ path = "/home/ada/Pictures" }]', `${file}:4`, '', { live: false }),
    one('watch.quiet', '"2s"', 'default', 'A file is read once it has stayed the same for this long.'),
    one('watch.rescan', '"1h"', 'default', 'How often every folder is compared with the index.'),
    one('cluster.min_cluster_size', '5', `${file}:31`, 'Fewer look-alikes than this are no group.'),
    one('api.host', '"127.0.0.1"', 'default', 'Any other address than loopback needs a token.'),
    one('api.port', '8420', 'environment PIXSORTD_API__PORT', '0: any free port.', { waits: true }),
  ]
  return { items, next_cursor: null, total: items.length, file }
}
