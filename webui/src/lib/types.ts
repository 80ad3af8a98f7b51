/** Short names for what the daemon answers; the shapes are generated from its OpenAPI document. */

import type { components } from './api'

type Schemas = components['schemas']

export type File = Schemas['File']
export type FilePage = Schemas['FilePage']
export type Group = Schemas['Group']
export type GroupPage = Schemas['GroupPage']
export type Image = Schemas['Image']
export type ImageDetail = Schemas['ImageDetail']
export type ImagePage = Schemas['ImagePage']
export type Job = Schemas['Job']
export type Ledger = Schemas['Ledger']
export type Reason = Schemas['Reason']
export type Root = Schemas['Root']
export type Score = Schemas['Score']
export type SimilarImage = Schemas['SimilarImage']
export type SimilarPage = Schemas['SimilarPage']
export type Status = Schemas['Status']
export type Why = Schemas['Why']
