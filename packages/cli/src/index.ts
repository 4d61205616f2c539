export { defineConfig, type Config } from '@tenant-lint/workspace';
