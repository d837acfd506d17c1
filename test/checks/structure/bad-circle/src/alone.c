/* Uses a file of the circle, and is in none. */
int page(void);
int alone(void);

int alone(void)
{
	return page();
}
