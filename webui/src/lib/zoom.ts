/** Where a picture stands in its window, and how zooming and dragging move it. Pure. */

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

/** The picture's left top corner in the window's pixels, and window pixels a picture pixel takes. */
export interface View extends Point {
  readonly scale: number
}

/** One step of the buttons and keys. */
export const STEP = 1.4
/** A pixel becomes at most this many device pixels. */
const LARGEST = 8

/** The scale at which the whole picture just fits. */
export function fitScale(window: Size, picture: Size): number {
  return Math.min(window.width / picture.width, window.height / picture.height)
}

/** The smallest and the largest scale; at `1 / ratio` a picture pixel is a device pixel. */
export function limits(window: Size, picture: Size, ratio: number): { least: number; most: number } {
  const fit = fitScale(window, picture)
  return { least: Math.min(fit, 1 / ratio), most: Math.max(LARGEST / ratio, 2 * fit) }
}

/** The view moved so that the picture is centred where it is smaller than the window, and has no gap where it is larger. */
export function settle(view: View, window: Size, picture: Size): View {
  const along = (at: number, room: number, length: number): number => (length <= room ? (room - length) / 2 : Math.min(0, Math.max(room - length, at)))
  return {
    scale: view.scale,
    x: along(view.x, window.width, picture.width * view.scale),
    y: along(view.y, window.height, picture.height * view.scale),
  }
}

/** The whole picture, centred. */
export function fit(window: Size, picture: Size): View {
  return settle({ x: 0, y: 0, scale: fitScale(window, picture) }, window, picture)
}

/** Zoom to `scale`, keeping what is under `point` under it. */
export function zoom(view: View, scale: number, point: Point, window: Size, picture: Size, ratio: number): View {
  const { least, most } = limits(window, picture, ratio)
  const next = Math.min(most, Math.max(least, scale))
  const grow = next / view.scale
  return settle({ scale: next, x: point.x - (point.x - view.x) * grow, y: point.y - (point.y - view.y) * grow }, window, picture)
}

/** Whether this is the whole picture, as `fit` shows it. */
export function isFit(view: View, window: Size, picture: Size): boolean {
  return Math.abs(view.scale / fitScale(window, picture) - 1) < 0.001
}

/** What a double click goes to: the pixels themselves from the whole picture (or twice it, where that is about the same), else back. */
export function toggle(view: View, point: Point, window: Size, picture: Size, ratio: number): View {
  if (!isFit(view, window, picture)) return fit(window, picture)
  const pixels = 1 / ratio
  const scale = pixels / view.scale > 1.1 ? pixels : view.scale * 2
  return zoom(view, scale, point, window, picture, ratio)
}

/** The factor a turn of the wheel stands for; a pinch on a trackpad comes as small turns with Ctrl held. */
export function wheel(deltaY: number, deltaMode: number, pinch: boolean): number {
  const pixels = deltaY * (deltaMode === 1 ? 16 : deltaMode === 2 ? 400 : 1)
  return Math.exp(-Math.min(400, Math.max(-400, pixels)) * (pinch ? 0.01 : 0.0022))
}

/** What letting go of a finger's drag over a whole picture means. */
export function swipe(dx: number, dy: number, milliseconds: number): 'previous' | 'next' | 'close' | null {
  const far = (distance: number): boolean => Math.abs(distance) > 80 || (Math.abs(distance) > 24 && Math.abs(distance) / Math.max(1, milliseconds) > 0.4)
  if (Math.abs(dx) > 1.5 * Math.abs(dy)) return far(dx) ? (dx < 0 ? 'next' : 'previous') : null
  return dy > 1.5 * Math.abs(dx) && far(dy) ? 'close' : null
}
