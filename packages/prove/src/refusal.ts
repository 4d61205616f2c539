/** Whether an error code means that the database kept a row out: lack of privilege, row security included, or an integrity constraint. */
export const isRefusal = (code: string): boolean => code === '42501' || code.startsWith('23');
