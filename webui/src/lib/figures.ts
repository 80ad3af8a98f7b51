/** The library's figures made ready for plots and their tables. Pure. */

import * as format from './format.ts'
import type { Histogram, Overview } from './types.ts'

/** One bar: where it stands, how high it is, and what it is called. */
export interface Bar {
  readonly x: number
  readonly y: number
  readonly name: string
}

/** More months than this are told by years. */
const MONTHS = 180

function monthAt(month: string): { year: number; month: number } {
  const [year, number] = month.split('-').map(Number) as [number, number]
  return { year, month: number - 1 }
}

/** Photos by month, with the empty ones between, of a single year all of them; by year where the library spans too many months. `x` in seconds since the epoch. */
export function overTime(months: Overview['months']): { unit: 'month' | 'year'; bars: Bar[] } {
  if (months.length === 0) return { unit: 'month', bars: [] }
  const counts = new Map(months.map(({ month, count }) => [month, count]))
  const first = monthAt(months[0]!.month)
  const last = monthAt(months.at(-1)!.month)
  const span = (last.year - first.year) * 12 + last.month - first.month + 1
  if (span > MONTHS) {
    const years = new Map<number, number>()
    for (const { month, count } of months) years.set(monthAt(month).year, (years.get(monthAt(month).year) ?? 0) + count)
    const bars = Array.from({ length: last.year - first.year + 1 }, (_, at) => {
      const year = first.year + at
      return { x: utc(year, 0), y: years.get(year) ?? 0, name: String(year) }
    })
    return { unit: 'year', bars }
  }
  const alone = first.year === last.year
  const begin = alone ? 0 : first.month
  const bars = Array.from({ length: alone ? 12 : span }, (_, at) => {
    const year = first.year + Math.floor((begin + at) / 12)
    const month = (begin + at) % 12
    const x = utc(year, month)
    return { x, y: counts.get(`${String(year).padStart(4, '0')}-${String(month + 1).padStart(2, '0')}`) ?? 0, name: format.month(x) }
  })
  return { unit: 'month', bars }
}

function utc(year: number, month: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month)
  return date.getTime() / 1000
}

/** Seconds of one bar of a day's throughput. */
export const SLOT = 600

/** Photos analysed in each ten minutes of the day before `now`, with the empty ones. */
export function lastDay(points: Overview['throughput'], now: number): Bar[] {
  const end = Math.ceil(now / SLOT) * SLOT
  const bars = Array.from({ length: 86_400 / SLOT }, (_, at) => end - 86_400 + at * SLOT)
  const counts = new Map<number, number>()
  for (const { at, count } of points) counts.set(Math.floor(at / SLOT) * SLOT, (counts.get(Math.floor(at / SLOT) * SLOT) ?? 0) + count)
  return bars.map((x) => ({ x, y: counts.get(x) ?? 0, name: `${format.clockTime(x)} to ${format.clockTime(x + SLOT)}` }))
}

/** A metric's histogram; `x` is the middle of each bin. */
export function bins({ edges, counts }: Pick<Histogram, 'edges' | 'counts'>): Bar[] {
  return counts.map((y, at) => {
    const [low, high] = [edges[at]!, edges[at + 1]!]
    return { x: (low + high) / 2, y, name: `${format.score(low)} to ${format.score(high)}` }
  })
}

/** Groups by size; `x` only counts on. */
export function sizes(tallies: Overview['group_sizes']): Bar[] {
  return tallies.map(({ least, most, count }, x) => ({ x, y: count, name: least === most ? format.count(least) : `${format.count(least)} to ${format.count(most)}` }))
}

/** What a plot shows, in a sentence for those who do not see it. */
export function inWords(bars: readonly Bar[], what: string): string {
  const total = bars.reduce((sum, { y }) => sum + y, 0)
  const top = bars.reduce<Bar | null>((best, bar) => (best === null || bar.y > best.y ? bar : best), null)
  return top === null || total === 0 ? `No ${what}.` : `${format.count(total)} ${what} in ${format.plural(bars.length, 'bar')}; the most, ${format.count(top.y)}, for ${top.name}.`
}
