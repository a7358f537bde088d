import { expect } from 'chai'
import fc from 'fast-check'
import { seededRandom } from '../../../src/common/random.ts'
import { UNKNOWN, type Slice } from '../../../src/dataset/index.ts'
import { annotated, KINDS_IN_TURN, parseLabelling, withLabelling, type MarkKind } from '../../../src/experiment/annotator.ts'

const [HEIGHT, WIDTH] = [96, 128]

/** Two organs, codes 1 and 3, of which the second may lie in the first. */
const pictures = fc.record({
  x: fc.integer({ min: 0, max: WIDTH - 1 }),
  y: fc.integer({ min: 0, max: HEIGHT - 1 }),
  radius: fc.integer({ min: 1, max: 40 }),
  inner: fc.integer({ min: 0, max: 6 }),
  seed: fc.integer({ min: 1, max: 1_000 })
})

type Picture = typeof pictures extends fc.Arbitrary<infer T> ? T : never

function maskOf ({ x, y, radius, inner }: Picture): Uint8Array {
  return Uint8Array.from({ length: HEIGHT * WIDTH }, (_, i) => {
    const away = Math.hypot(i % WIDTH - x, Math.floor(i / WIDTH) - y)
    return away < inner ? 3 : away < radius ? 1 : 0
  })
}

function draw (picture: Picture, kind: MarkKind): ReturnType<typeof annotated> & { readonly truth: Uint8Array } {
  const truth = maskOf(picture)
  return { truth, ...annotated({ mask: truth, height: HEIGHT, width: WIDTH }, kind, seededRandom(picture.seed)) }
}

describe('a simulated annotator', () => {
  for (const kind of KINDS_IN_TURN) {
    it(`marks by ${kind} what is there, never what is not, the same way each time`, () => {
      fc.assert(fc.property(pictures, (picture) => {
        const { truth, mask, marks, kind: said } = draw(picture, kind)
        expect(said).to.equal(kind)
        expect(mask.every((code, i) => code === UNKNOWN || code === truth[i])).to.equal(true)
        for (const [x, y, code] of marks.points) expect(truth[y * WIDTH + x]).to.equal(code)
        expect(draw(picture, kind)).to.deep.equal({ truth, mask, marks, kind })
        expect(mask.includes(1) || mask.includes(3)).to.equal(kind === 'block' || kind === 'scribble')
        for (const code of new Set(truth)) {
          if (code === 0) continue
          const known = [...mask, ...marks.points.map((each) => each[2]), ...marks.boxes.map((each) => each[4])]
          expect(known, `organ ${code}`).to.include(code)
        }
      }), { numRuns: 60 })
    })
  }

  const disc: Picture = { x: 64, y: 48, radius: 20, inner: 0, seed: 7 }
  const area = maskOf(disc).filter((code) => code === 1).length

  it('clicks in the middle of an organ, and twice well outside', () => {
    const { marks } = draw(disc, 'points')
    const [inside, ...outside] = marks.points
    expect(inside).to.deep.equal([64, 48, 1])
    expect(outside).to.have.length(2)
    for (const [x, y, code] of outside) {
      expect(code).to.equal(0)
      expect(Math.hypot(x - 64, y - 48)).to.be.at.least(20 + 5)
    }
  })

  it('draws a box of which each side lies off by at most a twentieth', () => {
    const tight = [45, 29, 84, 68]
    const drawn = Array.from({ length: 50 }, (_, seed) => draw({ ...disc, seed }, 'box').marks.boxes[0]!)
    for (const box of drawn) tight.forEach((edge, i) => { expect(Math.abs(box[i]! - edge)).to.be.at.most(2) })
    expect(new Set(drawn.map(String)).size).to.be.above(10)
  })

  it('scribbles a stroke inside, away from the edge, and one twice as long outside', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { mask } = draw({ ...disc, seed }, 'scribble')
      const strokes = [1, 0].map((code) => [...mask.keys()].filter((i) => mask[i] === code))
      const [inside, outside] = strokes as [number[], number[]]
      // A walk may cross itself.
      expect(inside.length).to.be.within(5, 0.6 * Math.sqrt(area) + 1)
      expect(outside.length).to.be.within(10, 1.2 * Math.sqrt(area) + 2)
      expect(inside.every((i) => Math.hypot(i % WIDTH - 64, Math.floor(i / WIDTH) - 48) < 20 - 1)).to.equal(true)
    }
  })

  it('blocks a quarter of an organ\'s box, and twice as much on either of two places outside', () => {
    const { mask } = draw({ ...disc, radius: 12 }, 'block')
    const known = mask.filter((code) => code !== UNKNOWN).length
    expect(mask.filter((code) => code === 1).length).to.be.within(100, 144)
    expect(known).to.be.within(150, 144 + 2 * 300)
  })

  it('marks nothing of a picture without organs', () => {
    for (const kind of KINDS_IN_TURN) {
      const { mask, marks } = annotated({ mask: new Uint8Array(HEIGHT * WIDTH), height: HEIGHT, width: WIDTH }, kind, seededRandom(1))
      expect(mask.every((code) => code === UNKNOWN)).to.equal(true)
      expect(marks).to.deep.equal({ points: [], boxes: [] })
    }
  })

  it('marks what fills the whole picture', () => {
    const full = { mask: new Uint8Array(64).fill(1), height: 8, width: 8 }
    expect(annotated(full, 'points', seededRandom(1)).marks.points).to.have.length(1)
    expect(annotated(full, 'scribble', seededRandom(1)).mask.includes(1)).to.equal(true)
    expect(annotated(full, 'box', seededRandom(1)).marks.boxes[0]![4]).to.equal(1)
    expect(annotated(full, 'block', seededRandom(1)).mask.includes(1)).to.equal(true)
  })
})

describe('a labelling', () => {
  const patients = (count: number): Slice[] => Array.from({ length: 2 * count }, (_, i) => ({
    id: `i${i}`,
    subject: `p${i >> 1}`,
    index: i,
    height: 8,
    width: 8,
    channels: 1,
    image: new Uint8Array(64),
    mask: new Uint8Array(64).fill(1, 9, 40)
  }))

  it('leaves masks to a share of patients, one at least, and nothing to the others', () => {
    for (const [count, masked] of [[10, 2], [3, 1], [1, 1]] as const) {
      const slices = withLabelling(patients(count), 'few:0.2', { site: 0, seed: 1 })
      const whole = slices.filter(({ kind }) => kind == null)
      expect(whole).to.have.length(2 * masked)
      expect(new Set(whole.map(({ subject }) => subject)).size).to.equal(masked)
      for (const { kind, mask } of slices) if (kind != null) expect([kind, ...new Set(mask)]).to.deep.equal(['none', UNKNOWN])
    }
  })

  it('gives each site after the other a kind of marks, and each image marks of its own', () => {
    const sites = Array.from({ length: 5 }, (_, site) => withLabelling(patients(2), 'mixed-weak', { site, seed: 1 }))
    const kinds = sites.map((slices) => slices.map(({ kind }) => kind))
    expect(kinds.map((each) => new Set(each).size)).to.deep.equal([1, 1, 1, 1, 1])
    expect(kinds.map(([kind]) => kind)).to.deep.equal(['scribble', 'points', 'box', 'block', 'scribble'])
    const [one, other] = withLabelling(patients(1), 'mixed-weak', { site: 1, seed: 1 })
    expect(one!.marks).to.not.deep.equal(other!.marks)
  })

  it('is read from one word', () => {
    expect(['mixed-weak', 'few:0.2', 'few:.5', 'few:0', 'few:1', 'few:', 'none'].map(parseLabelling))
      .to.deep.equal(['mixed-weak', 'few:0.2', 'few:0.5', undefined, undefined, undefined, undefined])
  })
})
