import type { HostRecord } from '../../compute/index.ts'
import type { SinglePrompt } from '../predict/prompts.ts'

/** The same prompt in several views of an image, in pixels of the canvas, as inputs of the decoder. */
export function promptFeeds (views: readonly SinglePrompt[], maskSide: number): HostRecord {
  const [{ points, box, mask }] = views as readonly [SinglePrompt, ...SinglePrompt[]]
  const count = views.length
  const numbers = (of: (view: SinglePrompt) => readonly number[]): Float32Array => Float32Array.from(views.flatMap((view) => [...of(view)]))
  const joined = (): Float32Array => {
    const data = new Float32Array(count * maskSide ** 2)
    views.forEach((view, i) => { data.set(view.mask!, i * maskSide ** 2) })
    return data
  }
  return {
    ...(points.length === 0
      ? {}
      : {
          '@coordinates': { shape: [count, points.length, 2], data: numbers((view) => view.points.flatMap(([x, y]) => [x, y])) },
          '@labels': { shape: [count, points.length], data: numbers((view) => view.points.map(([, , label]) => label)) }
        }),
    ...(box == null ? {} : { '@boxes': { shape: [count, 4], data: numbers((view) => view.box!) } }),
    ...(mask == null ? {} : { '@mask': { shape: [count, maskSide, maskSide], data: joined() } })
  }
}
