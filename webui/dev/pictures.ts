/** Pictures for the made-up library: real ones from a directory, else plain colours. */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'

export interface Picture {
  readonly name: string
  readonly width: number
  readonly height: number
  /** What look-alikes share; its folder, for real pictures. */
  readonly kind: string
  read(): { body: Buffer; type: string }
}

/** Width and height out of a JPEG's frame header, or null. */
function jpegSize(data: Buffer): { width: number; height: number } | null {
  let at = 2
  while (at + 9 < data.length && data[at] === 0xff) {
    const marker = data[at + 1]!
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { height: data.readUInt16BE(at + 5), width: data.readUInt16BE(at + 7) }
    }
    at += 2 + data.readUInt16BE(at + 2)
  }
  return null
}

function fromDirectory(directory: string): Picture[] {
  const pictures: Picture[] = []
  for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(directory, entry)
    if (!/\.jpe?g$/i.test(entry) || !statSync(path).isFile()) continue
    const size = jpegSize(readFileSync(path))
    if (size) pictures.push({ name: entry.split('/').at(-1)!, kind: entry.split('/')[0]!, ...size, read: () => ({ body: readFileSync(path), type: 'image/jpeg' }) })
  }
  return pictures
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

/** A one-colour PNG. */
function png(width: number, height: number, colour: Buffer): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  header.set([8, 2], 8)
  const row = Buffer.concat([Buffer.alloc(1), Buffer.alloc(width * 3, colour)])
  const rows = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)))
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

function plain(count: number): Picture[] {
  const shapes = [
    [120, 80],
    [80, 120],
    [100, 100],
    [160, 90],
    [120, 90],
  ] as const
  return Array.from({ length: count }, (_, at) => {
    const seed = createHash('sha256').update(`colour ${at % 40}`).digest()
    const [width, height] = shapes[seed[9]! % shapes.length]!
    const colour = Buffer.from([64 + (seed[0]! >> 1), 64 + (seed[1]! >> 1), 64 + (seed[2]! >> 1)])
    return { name: `IMG_${String(1000 + at)}.PNG`, kind: `colour ${at % 40}`, width, height, read: () => ({ body: png(width, height, colour), type: 'image/png' }) }
  })
}

/** All pictures there are: those below `directory` if it is given. */
export function pictures(directory: string | undefined): Picture[] {
  return directory ? fromDirectory(directory) : plain(240)
}
