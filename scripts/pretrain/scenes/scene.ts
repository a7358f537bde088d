import { blob, corners, shell } from './contour.ts'
import type { Contour } from './contour.ts'
import type { Random } from './random.ts'
import { fillDisc, fillPolygon } from './raster.ts'
import type { Canvas } from './raster.ts'

/** Anatomy without its looks: which region each pixel belongs to, and which region lies in which. */
export interface Scene extends Canvas {
  /** Parent of region 1, 2, … (index 0 is the background and its own parent). */
  readonly parents: number[]
  /** Content at the top left; the rest of the square is padding (docs/spec/sam.md#geometry) and holds no object. */
  height: number
  width: number
}

/** Smallest region, in pixels of the label map, that counts as an object to segment: half a patch of the small base. */
export const MINIMUM_AREA = 128

const LIMIT = 14

function add (scene: Scene, parent: number): number {
  scene.parents.push(parent)
  return scene.parents.length - 1
}

/** Puts down an outline inside `parent`; a sixth of them get a hole that looks like what is around. */
function paint (scene: Scene, random: Random, outline: Contour, parent: number, hole = 0.12): number {
  const label = add(scene, parent)
  fillPolygon(scene, corners(outline), { label, over: parent })
  if (random.chance(hole)) fillPolygon(scene, corners(shell(random, outline, random.range(0.35, 0.65))), { label: parent, over: label })
  return label
}

/** Part of the outline's corners that lie in `parent`. */
function fit ({ side, labels }: Scene, outline: Contour, parent: number): number {
  const points = corners(outline)
  let inside = 0
  for (let i = 0; i < points.length; i += 2) {
    const x = Math.floor(points[i]!)
    const y = Math.floor(points[i + 1]!)
    if (x >= 0 && y >= 0 && x < side && y < side && labels[y * side + x] === parent) inside++
  }
  return inside / (points.length / 2)
}

/** A place for a blob in `parent`, smaller at each miss; now and then one that is cut by its neighbour. */
function place (scene: Scene, random: Random, parent: number, radius: number): Contour | undefined {
  const need = random.chance(0.2) ? 0.6 : 0.98
  for (let attempt = 0, size = radius; attempt < 12 && size > 3.5; attempt++, size *= 0.9) {
    const outline = blob(random, random.range(0, scene.side), random.range(0, scene.side), size, 0.3)
    if (fit(scene, outline, parent) >= need) return outline
  }
  return undefined
}

function organs (scene: Scene, random: Random, parent: number, count: number, radius: number): void {
  for (let i = 0; i < count && scene.parents.length < LIMIT; i++) {
    const outline = place(scene, random, parent, radius * random.range(0.4, 1))
    if (outline === undefined) continue
    const label = paint(scene, random, outline, parent)
    if (random.chance(0.2)) {
      const angle = random.range(0, 2 * Math.PI)
      const reach = 0.9 * outline.radii[0]!
      const lobe = blob(random, outline.x + reach * Math.cos(angle), outline.y + reach * Math.sin(angle), reach * random.range(0.5, 1))
      fillPolygon(scene, corners(lobe), { label, over: parent })
    }
    if (random.chance(0.25)) organs(scene, random, label, random.integer(1, 2), radius * 0.4)
  }
}

/** A winding tube of slowly changing width. */
function vessel (scene: Scene, random: Random, parent: number): void {
  const label = add(scene, parent)
  const { side } = scene
  const turn = random.range(-0.07, 0.07)
  const taper = random.range(0.97, 1.01)
  let [x, y] = [random.range(0.1, 0.9) * side, random.range(0.1, 0.9) * side]
  let angle = random.range(0, 2 * Math.PI)
  let radius = side * random.range(0.02, 0.05)
  for (let i = random.integer(25, 60); i > 0 && radius > 1; i--) {
    fillDisc(scene, x, y, radius, { label, over: parent })
    angle += turn + random.range(-0.15, 0.15)
    x += 0.016 * side * Math.cos(angle)
    y += 0.016 * side * Math.sin(angle)
    radius *= taper
  }
}

/** Layers inside one another, as scalp, skull and brain are, with structures in the innermost. */
function head (scene: Scene, random: Random): void {
  const { side } = scene
  let outline = blob(random, side * random.range(0.38, 0.62), side * random.range(0.38, 0.62), side * random.range(0.22, 0.5), 0.1)
  let label = paint(scene, random, outline, 0, 0)
  for (let layers = random.integer(1, 3); layers > 0; layers--) {
    outline = shell(random, outline, random.range(0.72, 0.95))
    label = paint(scene, random, outline, label, 0)
  }
  organs(scene, random, label, random.integer(0, 5), side * random.range(0.06, 0.16))
  if (random.chance(0.3)) organs(scene, random, 0, 2, side * 0.12)
}

/** A body section: one large outline, perhaps with a wall, full of organs and vessels. */
function trunk (scene: Scene, random: Random): void {
  const { side } = scene
  const outline = blob(random, side * random.range(0.35, 0.65), side * random.range(0.35, 0.65), side * random.range(0.28, 0.6), 0.08)
  let label = paint(scene, random, outline, 0, 0)
  if (random.chance(0.5)) label = paint(scene, random, shell(random, outline, random.range(0.8, 0.94)), label, 0)
  if (random.chance(0.5)) vessel(scene, random, label)
  organs(scene, random, label, random.integer(2, 6), side * random.range(0.12, 0.24))
}

function scattered (scene: Scene, random: Random): void {
  organs(scene, random, 0, random.integer(1, 5), scene.side * random.range(0.12, 0.36))
  for (let count = random.integer(0, 2); count > 0; count--) vessel(scene, random, 0)
}

/** Keeps the middle of the drawing, moved to the top left, so that the picture is longer than wide or the reverse. */
function crop (scene: Scene, random: Random): void {
  const { side, labels } = scene
  const short = Math.round(side * random.range(0.62, 0.95))
  if (random.chance(0.5)) scene.width = short
  else scene.height = short
  const offset = Math.floor((side - scene.height) / 2) * side + Math.floor((side - scene.width) / 2)
  for (let p = 0; p < labels.length; p++) {
    const inside = p % side < scene.width && p < scene.height * side
    labels[p] = inside ? labels[p + offset]! : 0
  }
}

/** Draws a scene whose objects are organ-like; at least one has MINIMUM_AREA. */
export function drawScene (random: Random, side: number): Scene {
  for (;;) {
    const scene: Scene = { side, labels: new Uint8Array(side * side), parents: [0], height: side, width: side }
    random.pick([head, head, trunk, scattered, scattered])(scene, random)
    if (random.chance(0.6)) crop(scene, random)
    if (objects(scene).length > 0) return scene
  }
}

/** One object of a scene: a region with all that lies in it. */
export interface SceneObject {
  readonly label: number
  /** In pixels. */
  readonly area: number
}

/** All regions of at least MINIMUM_AREA pixels, inner structures counted in, the largest first. */
export function objects ({ labels, parents }: Scene): SceneObject[] {
  const areas = new Int32Array(parents.length)
  for (let p = 0; p < labels.length; p++) areas[labels[p]!]!++
  // A region is always put down after the one that it lies in.
  for (let label = parents.length - 1; label > 0; label--) areas[parents[label]!]! += areas[label]!
  return parents.map((_, label) => ({ label, area: areas[label]! }))
    .filter(({ label, area }) => label > 0 && area >= MINIMUM_AREA)
    .sort((a, b) => b.area - a.area)
}

/** 1 in the region `label` and in all that lies in it, 0 elsewhere. */
export function maskOf ({ labels, parents }: Scene, label: number): Uint8Array {
  const within = parents.map((_, region) => {
    for (let at = region; at !== 0; at = parents[at]!) if (at === label) return 1
    return 0
  })
  return labels.map((region) => within[region]!)
}
