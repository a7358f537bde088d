import type { Segment, SegmentRule, SegmentValue } from '../../formats/dicom/canvas.ts'
import { plainName, type LabelMap } from '../labels/label-map.ts'
import { smallest, type LabelRules } from '../labels/label-rules.ts'

const BY_NAME = 'DICOM segments taken for the classes of the same names: all others are background'

/**
 * What segments become. Where the site's files say nothing, they are known by their names, and in a file of which no name is a class by
 * their numbers; the outline of the body is no foreground.
 */
export function segmentRule ({ source, rule }: LabelRules, labels: LabelMap | undefined): SegmentRule {
  const classOf = ({ names }: Segment): number =>
    labels == null ? -1 : labels.names.findIndex((own) => names.some((name) => plainName(name) === plainName(own)))
  return (segments) => {
    const byName = source === 'values' && labels != null && segments.some((each) => classOf(each) >= 0)
    const valueFor = (segment: Segment): SegmentValue => {
      if (byName) return { value: ownValue(classOf(segment), labels), isKnown: classOf(segment) >= 0 }
      const value = segment.isBody && segments.length > 1 ? 0 : segment.number
      return { value, isKnown: labels != null && rule?.(value) != null }
    }
    return { valueOf: valueFor, notes: byName ? [BY_NAME] : [] }
  }
}

function ownValue (c: number, labels: LabelMap): number {
  return c < 0 ? 0 : labels.values[smallest([c], labels)]!
}
