/* A file of a circle. */
int page(void);
int line(void);
int line_count;

int line(void)
{
	return page();
}
