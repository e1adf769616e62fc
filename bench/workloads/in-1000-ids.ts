import { inList } from '../in-list.ts'

export default inList(1000, 23, 30)
