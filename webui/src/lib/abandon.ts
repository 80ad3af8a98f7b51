/** Call off the fetching of a picture that nobody will see. */

/** Stop an image that is in no document, or is about to leave it; one that is there already stays whole. */
export function abandon(image: HTMLImageElement): void {
  if (image.complete) return
  image.removeAttribute('src')
  // Chromium holds on to an image whose source changed outside of a document until it leaves another element.
  document.createElement('div').append(image)
  image.remove()
}
