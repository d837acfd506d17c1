/* Both have a function of this name, each its own. */
int words(void);

static int page(void)
{
	return 1;
}

int words(void)
{
	return page();
}
