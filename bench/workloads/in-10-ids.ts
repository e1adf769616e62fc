import { inList } from '../in-list.ts'

export default inList(10, 21, 1500)
