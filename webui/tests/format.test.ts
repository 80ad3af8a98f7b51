import { describe, expect, it } from 'vitest'

import * as format from '../src/lib/format.ts'

describe('format', () => {
  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1.0 kB'],
    [4_200_000, '4.2 MB'],
    [999_999, '1.0 MB'],
    [412e9, '412 GB'],
    [9e15, '9000 TB'],
  ])('%i bytes are %s', (value, text) => expect(format.bytes(value)).toBe(text))

  it.each([
    [0.2, 'less than a second'],
    [45, '45 s'],
    [200, '3 min 20 s'],
    [3600, '1 h'],
    [7500, '2 h 5 min'],
    [86_400 * 3 + 3700, '3 d 1 h'],
    [Infinity, 'unknown'],
    [-1, 'unknown'],
  ])('%d seconds are %s', (value, text) => expect(format.duration(value)).toBe(text))

  it.each([
    [2, 'a few seconds'],
    [44, '40 s'],
    [59, '1 min'],
    [700, '12 min'],
    [2900, '50 min'],
    [8900, '2 h 30 min'],
    [100_000, '1 d 4 h'],
  ])('%d guessed seconds are about %s', (value, text) => expect(format.roughly(value)).toBe(text))

  it.each([
    [2, 'just now'],
    [59, '59 s ago'],
    [60, '1 min ago'],
    [7199, '1 h ago'],
    [3 * 86_400, '3 d ago'],
  ])('%d seconds past is %s', (age, text) => expect(format.ago(1e9 - age, 1e9)).toBe(text))

  it('tells old times by their date', () => expect(format.ago(0, 1e9)).toBe('Thu, Jan 1, 1970'))

  it('never writes an exposure of 1/0', () => {
    expect(format.exposure('1/250', 0.004)).toBe('1/250 s')
    expect(format.exposure(null, 0.004)).toBe('1/250 s')
    expect(format.exposure(null, 30)).toBe('30 s')
    expect(format.exposure('2', 2)).toBe('2 s')
    expect(format.exposure(null, 2)).toBe('2 s')
    expect(format.exposure(null, 1)).toBe('1 s')
    expect(format.exposure(null, 0.5)).toBe('0.5 s')
    expect(format.exposure(null, 1e-6)).toBe('1/1000000 s')
    expect(format.exposure(null, 1.3)).toBe('1.3 s')
    expect(format.exposure(null, 0)).toBeNull()
    expect(format.exposure(null, null)).toBeNull()
  })

  it('keeps a camera’s time as it was written', () => {
    expect(format.written('2024-06-08T14:03:59.120+02:00')).toBe('Jun 8, 2024, 14:03:59 (+02:00)')
    expect(format.written('2024-06-08T14:03:59')).toBe('Jun 8, 2024, 14:03:59')
    expect(format.written('1999-12-31T23:59:59Z')).toBe('Dec 31, 1999, 23:59:59 (UTC)')
    expect(format.written('sometime')).toBe('sometime')
  })

  it('puts places on the right side of the globe', () => {
    expect(format.place(48.85837, 2.29448)).toBe('48.858° N, 2.294° E')
    expect(format.place(-33.8568, -151.2153, 1204.6)).toBe('33.857° S, 151.215° W, 1,205 m above sea level')
    expect(format.place(31.5, 35.5, -430)).toBe('31.500° N, 35.500° E, 430 m below sea level')
    expect(format.coordinates(-33.8568, 151.2153)).toBe('-33.85680, 151.21530')
  })

  it('names a camera once', () => {
    expect(format.camera('FUJIFILM', 'X-T5')).toBe('FUJIFILM X-T5')
    expect(format.camera('NIKON CORPORATION', 'NIKON D90')).toBe('NIKON D90')
    expect(format.camera(null, 'X100')).toBe('X100')
    expect(format.camera(null, null)).toBe('')
  })

  it('rounds shares without lying about the ends', () => {
    expect([0, 0.001, 0.5, 0.996, 1].map(format.percent)).toEqual(['0%', '< 1%', '50%', '> 99%', '100%'])
  })

  it('groups months in UTC, as cameras know no zone', () => expect(format.month(Date.UTC(2024, 5, 30, 23, 59) / 1000)).toBe('June 2024'))

  it('counts things', () => {
    expect(format.plural(1, 'photo')).toBe('1 photo')
    expect(format.plural(12_345, 'photo')).toBe('12,345 photos')
    expect(format.plural(2, 'crash', 'crashes')).toBe('2 crashes')
  })

  it('gives scores the digits they need', () => expect([3.14159, 31.4159, 314.159, -2].map(format.score)).toEqual(['3.14', '31.4', '314', '-2.00']))

  it('tells the size of a picture', () => {
    expect(format.pixels(4000, 3000)).toBe('4000 × 3000, 12 MP')
    expect(format.pixels(1280, 960)).toBe('1280 × 960, 1.2 MP')
    expect(format.pixels(52, 53)).toBe('52 × 53')
  })

  it('leaves a file name at the start of a message as it is', () => {
    expect(format.pieces('niqe_modelparameters.mat is missing')).toEqual([{ text: 'niqe_modelparameters.mat is missing', code: false }])
  })

  it('makes sentences of messages, and code of what is between backticks', () => {
    expect(format.pieces('run `pixsortd models pull clip` now')).toEqual([
      { text: 'Run ', code: false },
      { text: 'pixsortd models pull clip', code: true },
      { text: ' now', code: false },
    ])
    expect(format.pieces('a lone ` stays harmless')).toEqual([
      { text: 'A lone ', code: false },
      { text: ' stays harmless', code: false },
    ])
    expect(format.pieces('')).toEqual([])
  })
})
