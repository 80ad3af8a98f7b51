import { expect, test } from 'vitest'

import { how } from '../src/lib/grouping.ts'

test('how a photo came to its group, or to none', () => {
  expect(how({ group: null, how: '', strength: null })).toBe('It is in no group.')
  expect(how({ group: null, how: 'decided', strength: null })).toBe('You took it out of its group.')
  expect(how({ group: 'a', how: 'decided', strength: 1 })).toBe('You put it there.')
  expect(how({ group: 'a', how: 'joined', strength: 0.6 })).toContain('60% of its neighbours’ votes')
  expect(how({ group: 'a', how: 'clustered', strength: 0.93 })).toContain('93%')
})
