/** The post horn, on the accent. */
export const ICON: string = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#3a4fc4"/><path d="M7 9.500v5M7 12h11.500l7-4.500v9l-7-4.500M18.500 17.500a4.800 4.800 0 1 1-4.800-5.500" fill="none" stroke="#fff" stroke-width="2.200" stroke-linejoin="round" stroke-linecap="round"/></svg>`;
