/** Files that were dropped or chosen, with those in folders, by their path in what was dropped. */

export interface Found {
  readonly file: File
  /** With slashes; begins with the name of the folder that was dropped. */
  readonly path: string
}

/** What systems leave in folders beside the photos. */
function isClutter(name: string): boolean {
  return name.startsWith('.') || name === '__MACOSX' || /^(thumbs\.db|desktop\.ini)$/i.test(name)
}

/** Every file below an entry; clutter is passed over. Rejects when something cannot be read. */
export async function* walk(entry: FileSystemEntry): AsyncGenerator<Found> {
  if (isClutter(entry.name)) return
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    yield { file, path: entry.fullPath.replace(/^\/+/, '') || file.name }
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // It gives them in handfuls, and an empty one at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (!some.length) return
    for (const one of some) yield* walk(one)
  }
}

/** What a drop holds. Must be called while the event is handled: the browser forgets it afterwards. */
export function dropped(data: DataTransfer): AsyncGenerator<Found> {
  const things = [...data.items]
    .filter(({ kind }) => kind === 'file')
    .map((item): FileSystemEntry | File | null => item.webkitGetAsEntry?.() ?? item.getAsFile())
    .filter((thing) => thing !== null)
  return (async function* (): AsyncGenerator<Found> {
    for (const thing of things) {
      if (thing instanceof File) yield { file: thing, path: thing.name }
      else yield* walk(thing)
    }
  })()
}

/** What a file field holds, be it of files or of a folder. */
export function chosen(files: Iterable<File>): Found[] {
  return [...files]
    .map((file) => ({ file, path: file.webkitRelativePath || file.name }))
    .filter(({ path }) => !path.split('/').some(isClutter))
}
