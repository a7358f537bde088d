/** Version of this software: that of package.json, to which a test holds it. */
export const SOFTWARE = '0.2.0'
