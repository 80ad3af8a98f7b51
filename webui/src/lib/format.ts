/** Numbers, times and places as a person reads them. Pure; English, as the rest of pixsortd. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const monthName = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' })
const dayName = new Intl.DateTimeFormat('en', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
const moment = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' })
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
const minutes = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

/** 12345 -> "12,345". */
export function count(value: number): string {
  return whole.format(value)
}

/** "1 photo", "12 photos". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** Bytes in powers of ten, as disks are sold: "4.2 MB". */
export function bytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let at = 0
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000
    at++
  }
  return `${at === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[at]}`
}

/** Seconds with at most two units: "45 s", "3 min 20 s", "2 h 5 min", "4 d 3 h". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return 'unknown'
  if (seconds < 1) return 'less than a second'
  const units: [string, number][] = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]]
  let rest = Math.round(seconds)
  const at = units.findIndex(([, size]) => rest >= size)
  const parts: string[] = []
  for (const [name, size] of units.slice(at, at + 2)) {
    const amount = Math.floor(rest / size)
    if (amount) parts.push(`${amount} ${name}`)
    rest -= amount * size
  }
  return parts.join(' ')
}

/** Below so many seconds, to the next so many. */
const CALM: readonly (readonly [number, number])[] = [[60, 10], [1200, 60], [7200, 300], [86_400, 1800], [Infinity, 3600]]

/** A time that is guessed, so coarse that it does not jump about: "a few seconds", "40 s", "12 min", "2 h 30 min". */
export function roughly(seconds: number): string {
  if (seconds < 5) return 'a few seconds'
  const [, step] = CALM.find(([bound]) => seconds < bound)!
  return duration(Math.max(step, Math.round(seconds / step) * step))
}

/** Seconds since the epoch as "just now", "5 min ago", or the date when it is older than a week. */
export function ago(at: number, now: number): string {
  const seconds = now - at
  if (seconds < 5) return 'just now'
  if (seconds > 7 * 86_400) return dayName.format(at * 1000)
  const [size, name] = seconds < 60 ? [1, 's'] : seconds < 3600 ? [60, 'min'] : seconds < 86_400 ? [3600, 'h'] : [86_400, 'd']
  return `${Math.floor(seconds / Number(size))} ${name} ago`
}

/** "June 2024" of seconds since the epoch. Camera times have no zone and are kept as if in UTC. */
export function month(at: number): string {
  return monthName.format(at * 1000)
}

/** "June 2024" of "2024-06"; empty for what is no month. */
export function monthOf(key: string): string {
  return /^\d{4}-\d\d$/.test(key) ? monthName.format(Date.parse(`${key}-01T00:00Z`)) : ''
}

/** "Sat, Jun 8, 2024". */
export function day(at: number): string {
  return dayName.format(at * 1000)
}

/** Date and time of something the daemon did, in the reader's zone. */
export function when(at: number): string {
  return moment.format(at * 1000)
}

/** "14:03:59" in the reader's zone. */
export function time(at: number): string {
  return clock.format(at * 1000)
}

/** "14:03" in the reader's zone. */
export function clockTime(at: number): string {
  return minutes.format(at * 1000)
}

/** EXIF's own text "2024-06-08T14:03:59.120+02:00" as "Jun 8, 2024, 14:03:59 (+02:00)", never shifted to another zone. */
export function written(taken: string): string {
  const match = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/.exec(taken)
  if (!match) return taken
  const date = new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])))
  const text = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' }).format(date)
  const zone = match[6] === 'Z' ? 'UTC' : match[6]
  return `${text}, ${match[4]}${zone ? ` (${zone})` : ''}`
}

/** Exposure as photographers write it, from the text the index keeps or from seconds; never "1/0". */
export function exposure(text: string | null | undefined, seconds: number | null | undefined): string | null {
  if (text) return `${text} s`
  if (!seconds || seconds <= 0) return null
  return seconds < 0.35 ? `1/${Math.round(1 / seconds)} s` : `${round(seconds)} s`
}

/** "48.858° N, 2.294° E", to about a hundred metres; with the altitude where it is known: ", 78 m up". */
export function place(latitude: number, longitude: number, altitude: number | null = null): string {
  const degrees = (value: number, [plus, minus]: readonly [string, string]): string => `${Math.abs(value).toFixed(3)}° ${value < 0 ? minus : plus}`
  const height = altitude === null ? '' : `, ${count(Math.abs(altitude))} m ${altitude < 0 ? 'below' : 'above'} sea level`
  return `${degrees(latitude, ['N', 'S'])}, ${degrees(longitude, ['E', 'W'])}${height}`
}

/** "48.85837, 2.29448", as maps take it. */
export function coordinates(latitude: number, longitude: number): string {
  return `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`
}

/** Maker and model in one; most models repeat their maker. */
export function camera(make: string | null, model: string | null): string {
  const repeated = make && model?.toLowerCase().startsWith(make.toLowerCase().split(' ')[0]!)
  return repeated ? model! : [make, model].filter(Boolean).join(' ')
}

/** "4000 × 3000, 12 MP". */
export function pixels(width: number, height: number): string {
  const mega = (width * height) / 1e6
  const size = `${width} × ${height}`
  return mega < 0.1 ? size : `${size}, ${mega >= 10 ? Math.round(mega) : mega.toFixed(1)} MP`
}

/** A message as a sentence of its own: capital first letter unless it begins with a name such as a file's; what is between backticks is code. */
export function pieces(message: string): { text: string; code: boolean }[] {
  const named = /^\S*[._/]\w/.test(message)
  const text = named ? message : message.charAt(0).toUpperCase() + message.slice(1)
  return text
    .split('`')
    .map((part, at, all) => ({ text: part, code: at % 2 === 1 && at < all.length - 1 }))
    .filter((piece) => piece.text)
}

/** At most one digit after the point, and none when it is zero. */
export function round(value: number): string {
  return String(Number(value.toFixed(1)))
}

/** A score with as many digits as its size makes useful. */
export function score(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** A share 0..1 as "87%", never "100%" or "0%" unless it is. */
export function percent(share: number): string {
  if (share > 0 && share < 0.01) return '< 1%'
  if (share < 1 && share > 0.99) return '> 99%'
  return `${Math.round(share * 100)}%`
}
