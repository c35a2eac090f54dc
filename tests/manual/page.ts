/** A page with a block of each kind. */
export const PAGE: string = `# A page

A paragraph that is long enough to wrap, with \`--an-option\` and **something
important** in it.

## A section

- one
- two, which goes on
  in the next line

\`\`\`
i2p-socks --listen 127.0.0.1:9100   # a command that is much longer than a narrow page
.not a request, and back\\slash
\`\`\`

| name      | what it is    | default |
| --------- | ------------- | ------- |
| \`--a\`     | A \\| B        | 1       |
| \`--b\`     | Something     |         |
`;
