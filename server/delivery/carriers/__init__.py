"""SMS carriers, one module each; docs/adr/0035 lists the steps to add one."""
