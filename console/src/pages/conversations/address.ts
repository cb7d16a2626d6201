/** Numbers and ids are written from left to right in every language. */
export const addressDirection = 'ltr';
